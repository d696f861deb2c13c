"""``make demo`` tells the truth."""

from pathlib import Path

from tests.harness.worker.command import fanout


async def test_the_demo_tells_the_whole_story_and_leaves_nothing(tmp_path: Path) -> None:
    """Every step holds, within a minute, and the working directory stays empty.

    Also where a proxy is set, which knows nothing of this machine's ports.
    """
    proxy = dict.fromkeys(("http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    result = await fanout({**proxy, "no_proxy": ""}, "demo", folder=tmp_path, within=100)
    assert result.exit_code == 0, result.stdout + result.stderr
    assert "✗" not in result.stdout
    assert "Every step held" in result.stdout
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - one empty folder
