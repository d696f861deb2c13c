"""Expected failures: the exit code of the contract and one or two plain lines."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command import fanout
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.crypto.vault import new_key
from disconnect_fanout.demo.child_process import free_ports

SECRET = "hunter2"  # noqa: S105 - what must not be shown

USAGE = {
    "unknown command": ("nothing",),
    "unknown verb": ("platforms", "nothing"),
    "unknown option": ("platforms", "list", "--nothing"),
    "missing option": ("publish",),
    "unknown output": ("platforms", "list", "-o", "xml"),
    "unknown reason": ("publish", "--email", "a@b.example", "--reason", "because"),
    "unknown provider": ("links", "list", "--email", "a@b.example", "--provider", "yahoo"),
    "an address without @": ("links", "list", "--email", "alice"),
    "an id with a space": ("publish", "--email", "a@b.example", "--id", "evt 1"),
    "a time without an offset": ("publish", "--email", "a@b.example", "--at", "2025-11-21T15:45"),
    "a date": ("deliveries", "list", "--since", "2025-11-21"),
    "no time at all": ("dlq", "list", "--until", "yesterday"),
    "no status": ("dlq", "list", "--status", "6xx"),
    "no reason": ("dlq", "list", "--why", "tired"),
    "no limit": ("dlq", "list", "--limit", "0"),
    "no rate": ("dlq", "replay", "--all", "--yes", "--rate", "10"),
    "replay of nothing": ("dlq", "replay", "--yes"),
    "replay of some and all": ("dlq", "replay", "wh_del_1", "--all", "--yes"),
    "replay without a terminal": ("dlq", "replay", "--all"),
    "rejected replay of nothing": ("rejected", "replay"),
    "listen with a bad script": ("listen", "--port", "0", "--status", "200,99"),
    "not UTF-8": ("events", "show", "\udcff"),
}

NOT_FOUND = {
    "platform": ("platforms", "show", "plat_none"),
    "platform to switch": ("platforms", "pause", "plat_none"),
    "platform to rotate": ("platforms", "rotate-secret", "plat_none"),
    "platform to remove": ("platforms", "remove", "plat_none"),
    "platform to change": ("platforms", "update", "plat_none", "--name", "None"),
    "platform to test": ("platforms", "test", "plat_none"),
    "platform to link": ("links", "add", "--email", "a@b.example", "--platform", "plat_none"),
    "platform to filter by": ("deliveries", "list", "--platform", "plat_none"),
    "link": ("links", "end", "--email", "a@b.example", "--platform", "plat_none"),
    "event": ("events", "show", "plat_none"),
    "event to resolve": ("events", "resolve", "plat_none"),
    "event to filter by": ("dlq", "list", "--event", "plat_none"),
    "delivery": ("deliveries", "show", "plat_none"),
    "dead letter": ("dlq", "show", "plat_none"),
    "dead letter to replay": ("dlq", "replay", "plat_none", "--yes"),
}


@pytest.mark.parametrize("args", USAGE.values(), ids=USAGE.keys())
def test_wrong_usage_is_exit_2_and_a_line(newcomer: Operator, args: tuple[str, ...]) -> None:
    """What is wrong is said on stderr, before a configuration is even looked for."""
    said = newcomer.refused(*args, code=2)
    assert 1 <= len(said.splitlines()) <= 2


@pytest.mark.parametrize("args", NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_what_is_not_there_is_exit_5_and_named(operator: Operator, args: tuple[str, ...]) -> None:
    """An unknown id is repeated in the error."""
    assert "plat_none" in operator.refused(*args, code=5)


@pytest.mark.parametrize("command", ["platforms list", "run", "migrate", "rejected list"])
def test_wrong_settings_are_exit_3_all_at_once(newcomer: Operator, command: str) -> None:
    """Each wrong variable has its line, a missing key names `fanout init`, no secret is shown."""
    newcomer.settings = {
        "FANOUT_AMQP_URL": f"ftp://u:{SECRET}@h/",
        "FANOUT_TIMEOUT": "30",
        "FANOUT_PREFETCH": "many",
    }
    said = newcomer.refused(*command.split(), code=3)
    for name in ("FANOUT_AMQP_URL", "FANOUT_SECRET_KEY", "FANOUT_TIMEOUT", "FANOUT_PREFETCH"):
        assert name in said
    assert "fanout init" in said
    assert SECRET not in said


def test_a_database_that_was_never_made_is_exit_3_and_is_not_made(newcomer: Operator) -> None:
    """Only `fanout migrate` creates a database; the others say so."""
    newcomer.fanout("init")
    (port,) = free_ports(1)  # somebody may have a worker on the default one
    newcomer.settings["FANOUT_HTTP_PORT"] = str(port)
    for command in ("platforms list", "dlq list", "run"):
        assert "fanout migrate" in newcomer.refused(*command.split(), code=3)
    assert not (newcomer.folder / "fanout.db").exists()


def test_a_database_that_does_not_answer_is_exit_4(operator: Operator) -> None:
    """The password is not in the words."""
    operator.settings["FANOUT_DATABASE_URL"] = f"postgresql+asyncpg://u:{SECRET}@127.0.0.1:1/x"
    said = operator.refused("platforms", "list", code=4)
    assert "the database can't be reached" in said
    assert SECRET not in said


@pytest.mark.parametrize("command", ["rejected list", "publish --email a@b.example", "migrate"])
def test_a_broker_that_does_not_answer_is_exit_4(operator: Operator, command: str) -> None:
    """One line, and none of the client's own logs."""
    said = operator.refused(*command.split(), code=4)
    assert "the broker can't be reached" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("harm", "command"),
    [
        ("ALTER TABLE platforms RENAME TO gone", "platforms list"),
        ("ALTER TABLE events RENAME COLUMN sealed TO gone", "events show evt_1"),
        ("ALTER TABLE deliveries RENAME TO gone", "deliveries list"),
        ("DROP TABLE audit", "keys create --platform plat_luma"),
        (
            "CREATE TRIGGER no BEFORE INSERT ON links BEGIN SELECT RAISE(ABORT, 'no'); END",
            "links add --email a@b.example --platform plat_luma",
        ),
    ],
)
def test_a_database_that_refuses_is_exit_4_in_its_words(
    operator: Operator, harm: str, command: str
) -> None:
    """A table that is away, a trigger: an answer of the database's, and no traceback of ours."""

    async def harmed(world: SqlWorld) -> None:
        async with world.database.record() as connection:
            await connection.execute(text(harm))

    add = "platforms add plat_luma --name Luma --url https://luma.example"
    operator.fanout(*add.split())
    operator.arrange(harmed)
    said = operator.refused(*command.split(), code=4)
    assert "the database refuses" in said
    assert "a@b.example" not in said
    assert "Traceback" not in said


def test_a_file_that_is_no_database_is_exit_3(operator: Operator) -> None:
    """A URL that points at something else is a mistake of the configuration."""
    (operator.folder / "letter.txt").write_text("Dear operator," * 100)
    operator.settings["FANOUT_DATABASE_URL"] = "sqlite+aiosqlite:///letter.txt"
    assert "not a database" in operator.refused("platforms", "list", code=3)


def test_a_key_that_does_not_open_the_database_is_exit_3(operator: Operator) -> None:
    """Not a traceback, and not an empty answer."""
    operator.settings["FANOUT_SECRET_KEY"] = new_key()
    said = operator.refused("deliveries", "list", "--user", "a@b.example", code=3)
    assert "FANOUT_SECRET_KEY does not open" in said


def test_an_unknown_variable_is_a_warning_and_no_data(operator: Operator) -> None:
    """The command does its work; the warning is on stderr."""
    operator.settings["FANOUT_TIMOUT"] = "5s"
    result = operator.fanout("platforms", "list", "-o", "json")
    assert result.json() == []
    assert "FANOUT_TIMEOUT?" in result.stderr


def test_the_installed_command_ends_with_the_same_codes(tmp_path: Path) -> None:
    """The console script hands the exit code on to the shell."""

    async def codes() -> list[int]:
        commands = (("--version",), ("--help",), (), ("platforms", "list"))
        return [(await fanout({}, *args, folder=tmp_path)).exit_code for args in commands]

    assert asyncio.run(codes()) == [0, 0, 2, 3]
