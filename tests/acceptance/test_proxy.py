"""A proxy in the environment: nothing goes through it, and whoever set it is told so."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

from disconnect_fanout.app.proxy import ignored_proxies, proxy_warning

PASSWORD = "hunter2"  # noqa: S105 - what must not be shown


@asynccontextmanager
async def proxy() -> AsyncIterator[tuple[str, list[str]]]:
    """Listen as a proxy would; give its URL, and whoever came."""
    guests: list[str] = []

    def met(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guests.append(str(writer.get_extra_info("peername")))
        writer.close()

    async with await asyncio.start_server(met, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://somebody:{PASSWORD}@127.0.0.1:{port}", guests


async def test_webhooks_and_pings_go_past_a_proxy_and_the_worker_says_so(
    installation: Installation,
) -> None:
    """Platform, broker and database are met directly; the log names the variables alone."""
    async with proxy() as (url, guests), Receiver() as luma:
        variables = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy")
        installation.settings |= dict.fromkeys(variables, url)
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        assert (await installation.ask("platforms", "test", "plat_luma"))["result"] == "delivered"
        async with installation.worker() as worker:
            await installation.publish(disconnect("evt_1"))
            await installation.settled("delivered", 1)
        assert guests == []
    lines = [json.loads(one) for one in worker.stderr.splitlines()]
    (said,) = [one for one in lines if one["event"] == "proxy.ignored"]
    assert (said["level"], said["variables"]) == ("warning", sorted(variables))
    assert PASSWORD not in worker.stderr


async def test_check_names_the_variables_and_ends_as_without_them(
    installation: Installation,
) -> None:
    """A warning with what it means, in every form of output; never the value; exit 0."""
    async with proxy() as (url, guests):
        installation.settings["FANOUT_MANAGEMENT_URL"] = "off"  # else it is said to be silent
        before = await installation.ask("check")
        installation.settings |= {"https_proxy": url, "FANOUT_RETRY": "5s"}
        after = await installation.ask("check")
        table = await installation.fanout("check")
        assert guests == []
    assert "warning" not in {one["result"] for one in before}
    warnings = {one["check"]: one["detail"] for one in after if one["result"] == "warning"}
    assert warnings.keys() == {"proxy", "variables"}
    assert warnings["proxy"].startswith("https_proxy is not used: webhooks do not go through")
    assert "FANOUT_RETRY_SCHEDULE?" in warnings["variables"]
    assert (table.exit_code, "https_proxy is not used" in table.stdout) == (0, True)
    assert PASSWORD not in table.stdout + table.stderr + str(after)


async def test_a_wrong_configuration_does_not_hide_it(installation: Installation) -> None:
    """Exit 3, and both are told; so does `platforms test` where nothing is reached."""
    installation.settings |= {"ALL_PROXY": f"socks5://:{PASSWORD}@127.0.0.1:9"}
    await installation.register("plat_gone", "http://127.0.0.1:9/hook")
    ping = await installation.fanout("platforms", "test", "plat_gone")
    assert (ping.exit_code, "ALL_PROXY is not used" in ping.stderr) == (1, True)
    installation.settings["FANOUT_TIMEOUT"] = "x"
    result = await installation.fanout("check", "-o", "jsonl")
    found = [json.loads(line)["result"] for line in result.stdout.splitlines()]
    assert (result.exit_code, found) == (3, ["wrong", "warning"])
    assert PASSWORD not in result.stdout + result.stderr + ping.stdout + ping.stderr


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"HTTP_PROXY": "x", "http_proxy": "y"}, ["HTTP_PROXY", "http_proxy"]),
        ({"Https_Proxy": "x"}, ["Https_Proxy"]),
        ({"NO_PROXY": "*", "no_proxy": "localhost"}, []),
        ({"HTTP_PROXY": "", "https_proxy": ""}, []),
        ({"SOCKS_PROXY": "x", "NO_PROXY": "*"}, ["SOCKS_PROXY"]),
        ({"FANOUT_HTTP_HOST": "x", "MY_HTTP_PROXY": "x"}, []),
    ],
)
def test_what_names_a_proxy(environment: dict[str, str], names: list[str]) -> None:
    """Whatever the case; exceptions alone name none, and an empty variable switches one off."""
    assert ignored_proxies(environment) == names
    assert (proxy_warning(environment) is None) is (names == [])
