"""``fanout --help`` is read from the sources of the commands, and says what they say."""

import sys
from subprocess import run

from typer.main import get_command

from disconnect_fanout.cli.main import assembled


def helps(*, in_full: bool) -> dict[str, str | None]:
    """Return the help of every command, in order."""
    group = get_command(assembled([], in_full=in_full))
    commands = group.commands.items()  # type: ignore[attr-defined]
    return {name: (one.help or "").partition("\n")[0] for name, one in commands}


def test_the_summary_says_of_each_command_what_it_says_itself() -> None:
    """The same names, words and order."""
    real = helps(in_full=True)
    assert helps(in_full=False) == real
    assert all(real.values())
    assert {"dlq", "run", "secret-key"} <= real.keys()


def test_the_summary_imports_no_command() -> None:
    """Nor what they need: a database, a broker, HTTP."""
    program = (
        "import sys; from disconnect_fanout.cli.main import main; main(['--help']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint({"sqlalchemy", "aiohttp", "aio_pika", "pydantic"})
    assert "dlq" in done.stdout
