"""What can't be undone asks a person first, and a person only: `forget`, `discard`, `replay`."""

import signal
import subprocess

import pytest
from sqlalchemy import inspect, text
from tests.harness.store.examples import dead, link
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.operator import Operator
from tests.harness.worker.terminal import Terminal

ALICE = "alice@example.com"
ASKING = {
    "privacy forget": ("privacy", "forget", "--email", ALICE, "--discard"),
    "dlq discard": ("dlq", "discard", "--all", "--because", "closed"),
    "dlq replay": ("dlq", "replay", "--all", "--detach"),
    "deliveries replay": ("deliveries", "replay", "--all", "--detach"),
    "rejected discard": ("rejected", "discard", "rej_0123456789abcdef"),
    "rejected replay": ("rejected", "replay", "rej_0123456789abcdef"),
    "rejected replay of all": ("rejected", "replay", "--all"),
}
"""Every command that asks. None of them reaches a broker: there is none in these tests."""

asking = pytest.mark.parametrize("args", ASKING.values(), ids=ASKING.keys())


async def past(world: SqlWorld) -> None:
    """Alice is linked, and luma was told in vain."""
    await world.add_platform("luma")
    await world.add_links(link(ALICE, "luma"))
    await dead(world.worker)


@pytest.fixture
def keeper(operator: Operator) -> Operator:
    operator.arrange(past)
    return operator


def stored(operator: Operator) -> str:
    """Return all that the database holds."""
    found = dict[str, list[object]]()

    async def read(world: SqlWorld) -> None:
        async with world.database.read() as connection:
            names = await connection.run_sync(lambda one: inspect(one).get_table_names())
            for name in names:
                rows = await connection.execute(text(f"SELECT * FROM {name}"))  # noqa: S608 - ours
                found[name] = [tuple(row) for row in rows]

    operator.arrange(read)
    return repr(found)


@asking
def test_without_a_terminal_and_without_yes_nothing_is_done(
    keeper: Operator, args: tuple[str, ...]
) -> None:
    """Exit 2 says what to give; a pipe that says yes is no person, and nothing is changed."""
    before = stored(keeper)
    for stdin in ("", "y\n", "yes\ny\n"):
        said = keeper.refused(*args, code=2, stdin=stdin)
        assert "--yes" in said
        assert "alice" not in said
    assert stored(keeper) == before


@asking
@pytest.mark.parametrize("closed", ["<&-", "</dev/null", "< <(echo y)", "<.answer"])
def test_however_the_input_is_no_terminal_it_is_exit_2(
    keeper: Operator, args: tuple[str, ...], closed: str
) -> None:
    """Closed before the start, the empty device, a pipe, a file that says yes."""
    (keeper.folder / ".answer").write_text("y\n")
    done = subprocess.run(
        ["/bin/bash", "-c", f'"$0" "$@" {closed}', str(FANOUT), *args],
        env=environment(keeper.settings), cwd=keeper.folder, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr
    assert "Traceback" not in done.stderr


@asking
def test_no_answer_is_no(keeper: Operator, args: tuple[str, ...]) -> None:
    """Ctrl-C, once, and the end of the input end the command with 130; nothing is changed."""
    before = stored(keeper)
    for what in (signal.SIGINT, b"\x04", b"\x03"):
        with Terminal(keeper, *args) as person:
            person.asked()
            if isinstance(what, signal.Signals):
                person.command.send_signal(what)
            else:
                person.type(what)
            assert person.ended() == (130, "")
    assert stored(keeper) == before


@asking
def test_a_no_changes_nothing(keeper: Operator, args: tuple[str, ...]) -> None:
    """Nor does just Enter; what is neither yes nor no is asked again."""
    before = stored(keeper)
    for words in (b"n\n", b"\n", b"what\nNO\n"):
        with Terminal(keeper, *args) as person:
            person.asked()
            person.type(words)
            assert person.ended()[0] in {0, 130}
    assert stored(keeper) == before


@asking
def test_the_question_is_no_data(keeper: Operator, args: tuple[str, ...]) -> None:
    """It is on standard error; standard output holds the report from its first byte, or nothing."""
    with Terminal(keeper, *args, "-o", "json") as person:
        assert "[y/N]" in person.asked()
        person.type(b"n\n")
        out = person.ended()[1]
        assert out == "" or out.startswith("{")


def test_a_yes_at_a_terminal_is_done(keeper: Operator) -> None:
    """What asks does what it asked about."""
    with Terminal(keeper, *ASKING["privacy forget"], "-o", "json") as person:
        person.asked()
        person.type(b"Y\n")
        assert person.ended()[0] == 0
    assert keeper.ask("links", "list", "--email", ALICE) == []


def test_a_dry_run_asks_nobody(keeper: Operator) -> None:
    """It changes nothing."""
    before = stored(keeper)
    for noun in ("dlq", "deliveries"):
        assert keeper.ask(noun, "replay", "--all", "--dry-run")["state"] == "dry_run"
    assert stored(keeper) == before
