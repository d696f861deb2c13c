"""``fanout secret-key``: which keys are in use, and everything sealed anew so that one can go."""

import json
import time

import pytest
from sqlalchemy import LargeBinary, select, update
from tests.harness.store.examples import attempted, event, intent, planned
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.crypto.vault import fingerprint, new_key
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.schema.api_tables import answers, outbox
from disconnect_fanout.adapters.store.schema.key_tables import secret_keys
from disconnect_fanout.adapters.store.schema.tables import attempts, events, metadata
from disconnect_fanout.adapters.store.seals.resealing import KEYED, SEALED
from disconnect_fanout.policy.decide import Delivered

ALICE = "alice@example.com"
ONE = event("evt_one", ALICE)


async def filled(world: SqlWorld) -> None:
    """Something sealed in every table that has any."""
    await world.worker.events.register([intent(ONE, planned(ONE, "luma", lease="mine"))])
    name = planned(ONE, "luma").id
    await world.worker.ledger.commit([attempted(name, "mine", Delivered())])
    async with world.database.record() as connection:
        await connection.execute(update(attempts).values(sealed=world.vault.seal(b"thank you")))
        await SqlOutbox(world.database, world.seals).put(connection, [event("evt_promised")])
        remembered = {"caller": "c", "token": "t", "request": "r", "created_at": 0}
        sealed = world.seals.seal(b"true")
        await connection.execute(answers.insert().values(**remembered, sealed=sealed))


async def quiet(world: SqlWorld) -> None:
    """Nobody has sealed with any key for long."""
    async with world.database.record() as connection:
        await connection.execute(update(secret_keys).values(seen_at=0))


def set_up(operator: Operator) -> tuple[str, str]:
    """Fill the database with the old key; return it and a new one."""
    old, new = operator.settings["FANOUT_SECRET_KEY"], new_key()
    url = "https://luma.example/hook"
    operator.ask("platforms", "add", "luma", "--name", "Luma", "--url", url)
    operator.ask("platforms", "rotate-secret", "luma")
    operator.ask("links", "add", "--email", ALICE, "--google-id", "42", "--platform", "luma")
    of = ("--type", "google_calendar", "--user-id", "7", "--email", ALICE)
    operator.ask("credentials", "add", "--id", "10", *of)
    operator.arrange(filled)
    operator.arrange(quiet)
    return old, new


def test_everything_is_sealed_anew_and_the_old_key_can_go(any_operator: Operator) -> None:
    """With NEW,OLD it reseals; with NEW alone everything is read as before; again is harmless."""
    operator = any_operator
    old, new = set_up(operator)
    before = [
        operator.ask("links", "list", "--email", ALICE),
        operator.ask("credentials", "list"),
        operator.ask("events", "show", ONE.id),
        operator.ask("deliveries", "show", planned(ONE, "luma").id),
    ]
    operator.settings["FANOUT_SECRET_KEY"] = f"{new},{old}"
    done = operator.fanout("secret-key", "reseal", "-o", "json")
    counts = {one["column"]: one for one in done.json()}
    assert set(counts) == {str(one) for one in SEALED}
    assert all(one["resealed"] == one["looked_at"] >= 1 for one in counts.values()), counts
    assert fingerprint(old) in done.stderr
    operator.settings["FANOUT_SECRET_KEY"] = new
    after = [
        operator.ask("links", "list", "--email", ALICE),
        operator.ask("credentials", "list"),
        operator.ask("events", "show", ONE.id),
        operator.ask("deliveries", "show", planned(ONE, "luma").id),
    ]
    assert after == before
    (left,) = operator.ask("secret-key", "status")
    assert (left["fingerprint"], left["here"]) == (fingerprint(new), "seals")
    again = operator.fanout("secret-key", "reseal", "-o", "json").json()
    assert sum(one["resealed"] for one in again) == 0
    (entry, *_) = operator.ask("audit", "list")
    assert entry["command"] == "secret-key reseal"


def test_a_key_that_somebody_still_seals_with_stays(operator: Operator) -> None:
    """A process that runs with OLD first is seen; the command says so and ends with 1."""
    old, new = set_up(operator)

    async def seen(world: SqlWorld) -> None:
        async with world.database.record() as connection:
            still = update(secret_keys).where(secret_keys.c.fingerprint == fingerprint(old))
            await connection.execute(still.values(seen_at=int(time.time() * 1000) + 3_600_000))

    operator.arrange(seen)
    operator.settings["FANOUT_SECRET_KEY"] = f"{new},{old}"
    done = operator.fanout("secret-key", "reseal", "-o", "json")
    assert done.exit_code == 1
    assert fingerprint(old) in done.stderr
    assert {one["here"] for one in operator.ask("secret-key", "status")} == {"seals", "opens"}


def test_without_a_key_in_use_nothing_is_resealed(operator: Operator) -> None:
    """``reseal`` is refused, ``check`` and ``status`` name the key, and say what to do."""
    old, new = set_up(operator)
    operator.settings["FANOUT_SECRET_KEY"] = f"{new},{old}"
    operator.ask("platforms", "rotate-secret", "luma")
    operator.settings["FANOUT_SECRET_KEY"] = old
    said = operator.refused("secret-key", "reseal", code=3)
    assert fingerprint(new) in said
    assert "OLD,NEW" in said
    checked = operator.fanout("check", "-o", "json")
    (row,) = [one for one in json.loads(checked.stdout) if one["check"] == "database"]
    assert row["result"] == "wrong"
    assert fingerprint(new) in row["detail"]
    assert {one["here"] for one in operator.ask("secret-key", "status")} == {"seals", "missing"}


def test_damaged_rows_stay_as_they_are_and_are_counted(operator: Operator) -> None:
    """They don't keep the old key: no key opens them."""
    old, new = set_up(operator)

    async def damage(world: SqlWorld) -> None:
        async with world.database.record() as connection:
            await connection.execute(update(events).values(sealed=b"torn"))
            await connection.execute(update(outbox).values(sealed=b"torn"))

    operator.arrange(damage)
    operator.settings["FANOUT_SECRET_KEY"] = f"{new},{old}"
    counts = {one["column"]: one for one in operator.ask("secret-key", "reseal")}
    assert counts["events.sealed"]["unreadable"] == counts["outbox.sealed"]["unreadable"] == 1

    async def same(world: SqlWorld) -> None:
        async with world.database.read() as connection:
            assert (await connection.execute(select(events.c.sealed))).scalar_one() == b"torn"

    operator.settings["FANOUT_SECRET_KEY"] = new
    operator.arrange(same)


def test_every_sealed_column_is_known_to_the_resealing() -> None:
    """Whoever adds a column of bytes decides here whether it is sealed."""
    bytes_ = [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    ]
    assert {str(one) for one in bytes_} == {str(one) for one in (*SEALED, *KEYED)}


@pytest.mark.parametrize("words", ["OLD,NEW", "NEW,OLD", "reseal"])
def test_init_writes_the_safe_order_down(newcomer: Operator, words: str) -> None:
    """Who rotates by the words in ``.env`` makes nobody unready."""
    assert newcomer.fanout("init").exit_code == 0
    assert words in (newcomer.folder / ".env").read_text()
