"""A real worker whose database refuses something: it lives, says so, and books it on nobody."""

from collections import Counter
from pathlib import Path

import aiosqlite
import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.store.outage import lasts
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

EVENTS = 12
_RAISE = "CREATE TRIGGER no BEFORE {what} BEGIN SELECT RAISE(ABORT, 'no'); END"


def _renamed(table: str) -> tuple[str, str]:
    return f"ALTER TABLE {table} RENAME TO gone", f"ALTER TABLE gone RENAME TO {table}"


HARM = {
    "events away": _renamed("events"),
    "links away": _renamed("links"),
    "platforms away": _renamed("platforms"),
    "deliveries away": _renamed("deliveries"),
    "attempts away": _renamed("attempts"),
    "outbox away": _renamed("outbox"),
    "replays away": _renamed("replays"),
    "duties away": _renamed("duties"),
    "events refused": (_RAISE.format(what="INSERT ON events"), "DROP TRIGGER no"),
    "deliveries refused": (_RAISE.format(what="UPDATE ON deliveries"), "DROP TRIGGER no"),
    "attempts refused": (_RAISE.format(what="INSERT ON attempts"), "DROP TRIGGER no"),
}


@pytest.mark.parametrize("kind", HARM)
async def test_whatever_is_refused_is_an_outage(vhost: Vhost, tmp_path: Path, kind: str) -> None:
    """I12, I14: the same process before and after, not ready meanwhile; each told once."""
    installation = Installation(vhost, f"sqlite+aiosqlite:///{tmp_path / 'fanout.db'}", tmp_path)
    await installation.migrate()
    harm, mend = HARM[kind]
    async with Receiver() as luma:
        await installation.register("luma", luma)
        await installation.link([f"user{n}@example.com" for n in range(EVENTS)], "luma")
        async with installation.worker() as worker:
            pid = worker.pid
            await _run(tmp_path, harm)
            await installation.publish(*map(_event, range(EVENTS)))
            await lasts(4)
            status, words = await worker.readyz()
            assert (status, "gone" in words) == (503, False), words
            assert "no such table" in words or 'no"' in words, words
            await _run(tmp_path, mend)
            await worker.ready(within=30)
            await luma.received(EVENTS, within=60)
            await installation.settled("delivered", EVENTS, within=60)
            await installation.depth_becomes("events", 0)
            await installation.depth_becomes("rejected", 0)
            assert (worker.running, worker.pid) == (True, pid)
            assert set(Counter(one.webhook_id for one in luma.requests).values()) == {1}
            assert "example.com" not in worker.stderr


async def _run(folder: Path, statement: str) -> None:
    async with aiosqlite.connect(folder / "fanout.db", timeout=15) as connection:
        await connection.execute(statement)
        await connection.commit()


def _event(number: int) -> dict[str, object]:
    return disconnect(f"evt_{number}", f"user{number}@example.com", google_id=None)
