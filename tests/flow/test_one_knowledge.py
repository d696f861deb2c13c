"""One knowledge of the database: what was met anywhere counts everywhere; and mutants."""

import asyncio
from collections.abc import Callable, Collection, Sequence

import pytest
from tests.harness.fakes.store import FakeEventStore, FakeLedger
from tests.harness.flow.stage import CountingDueStore, FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time, until

from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.outcome import Answer
from disconnect_fanout.flow.batcher import Batcher, WrongCount
from disconnect_fanout.flow.database_health import SLOW_S, Ask, DatabaseHealth
from disconnect_fanout.flow.due import Claim
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.change import Change
from disconnect_fanout.policy.lease import REPORT_FIRST_S


class LostAnswer(FakeEventStore):
    """The answer to the first COMMIT is lost, and the next try comes when the leases are over.

    Args:
        forgets: that it has tried before: the mutant.
    """

    forgets = False

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        if self._tables.outages:
            return await super().register(intents)
        writer = self._tables.new_token()
        self.write(intents, writer, again=False)
        self._tables.outages += 1
        await pass_time(58)
        return self.write(intents, writer, again=not self.forgets)


class Forgets(LostAnswer):
    forgets = True


@pytest.mark.parametrize(("store", "requests"), [(LostAnswer, 1), (Forgets, 2)])
def test_who_was_overtaken_after_a_lost_commit_sends_nothing(
    store: type[FakeEventStore], requests: int
) -> None:
    """Another worker has claimed and delivered meanwhile; the mutant calls the event new: twice."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        outside.link("alice@example.com", "luma")
        async with FlowStage(outside) as worker:
            other = FlowStage(outside)
            await other.directory.refresh()
            other.fan_out._resolver._store = store(outside.tables)
            message, task = other.take(event("evt_1"))
            await until(lambda: outside.states() == {"delivered": 1})
            assert not task.done()
            await task
            await worker.sending.finish()
            assert message.acked
            assert len(outside.platforms.requests) == requests
            (row,) = outside.tables.rows()
            numbers = [one.headers["fanout-attempt"] for one in outside.platforms.requests]
            assert (numbers == sorted(numbers)) is (requests == 1), "I5: it never falls"
            assert row.state == "delivered"

    in_virtual_time(story())


class NotedClaims(CountingDueStore):
    """Notes whether expired leases might be taken, and when."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside.tables)
        self.seen: list[tuple[float, bool]] = []

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        self.seen.append((asyncio.get_running_loop().time(), reclaim))
        return await super().claim(
            platform_id, limit=limit, lease_s=lease_s, holding=holding, reclaim=reclaim
        )


class WaitsOutAnOutage(FakeLedger):
    """Meets an outage in its first commit, and returns when it is over, as the real one does."""

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        if not self._tables.outages:
            self._tables.outages += 1
            await pass_time(4)
        return await super().commit(changes)


@pytest.mark.parametrize("mutant", [False, True], ids=["the scheduler", "one without patience"])
def test_an_outage_met_in_our_own_records_leaves_expired_leases_alone(*, mutant: bool) -> None:
    """Nobody raises, and yet their holders report first; the mutant takes them at once."""

    async def story() -> list[tuple[float, bool]]:
        outside = Outside()
        outside.register("luma")
        outside.link("alice@example.com", "luma")
        outside.platforms.script = lambda _one: Answer(500)
        worker = FlowStage(outside)
        noted = worker.scheduler._store = NotedClaims(outside)
        worker.recorder._ledger = WaitsOutAnOutage(outside.tables, worker.facts.append)
        if mutant:
            worker.scheduler._outages = lambda: 0
        async with worker:
            await worker.handle(event("evt_1"))
            await until(lambda: noted.seen)
            return noted.seen

    ((_, reclaim),) = in_virtual_time(story())
    assert reclaim is mutant


def test_leases_are_taken_again_when_their_holders_had_their_time() -> None:
    """Ten seconds after the last outage that anybody met."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        worker = FlowStage(outside)
        async with worker:
            assert worker.scheduler._may_reclaim()
            outside.tables.outages += 1
            assert not worker.scheduler._may_reclaim()
            await pass_time(REPORT_FIRST_S - 1)
            outside.tables.outages += 1
            assert not worker.scheduler._may_reclaim()
            await pass_time(REPORT_FIRST_S - 1)
            assert not worker.scheduler._may_reclaim()
            await pass_time(1)
            assert worker.scheduler._may_reclaim()

    in_virtual_time(story())


def test_health_knows_a_refusal_a_recovery_and_a_long_silence() -> None:
    """By what was asked for: it may read and take no commit; waiting alone is a finding too."""
    now = 0.0
    health = DatabaseHealth(lambda: now)
    with pytest.raises(StoreUnreachable), health.asking(Ask.RECORD):
        raise StoreUnreachable("full")
    with health.asking(Ask.READ):
        pass
    assert health.problem == "the database takes no commit: is its disk full, or is it locked?"
    with pytest.raises(StoreUnreachable), health.asking(Ask.READ):
        raise StoreUnreachable("away")
    assert health.problem == "the database does not answer"
    for what in (Ask.READ, Ask.RECORD):
        with health.asking(what):
            pass
    assert (health.outages, health.problem or "") == (2, "")
    with health.asking(Ask.INTEND):
        now = SLOW_S - 1
        with health.asking(Ask.READ):
            now = SLOW_S
        assert health.problem == "the database has not answered for 10 s"
    assert health.problem is None


def test_what_is_no_outage_says_nothing_about_the_database() -> None:
    """A bug or a cancellation within the block leaves what was known as it was."""
    health = DatabaseHealth(lambda: 0.0)
    for error in (ValueError, asyncio.CancelledError):
        with pytest.raises(error), health.asking(Ask.READ):
            raise error
    assert (health.problem, health.outages) == (None, 0)


@pytest.mark.parametrize("answers", [0, 1, 3])
def test_a_batch_with_the_wrong_number_of_answers_leaves_nobody_waiting(answers: int) -> None:
    """Each item hears of the bug, and a drain returns: nobody can know which answer is whose."""

    async def story() -> None:
        async def work(_items: Sequence[int]) -> Sequence[int]:
            return [0] * answers

        batcher: Batcher[int, int] = Batcher(work, 10)
        futures = [batcher.submit(1), batcher.submit(2)]
        async with asyncio.timeout(5):
            await batcher.drain()
        assert [type(one.exception()) for one in futures] == [WrongCount, WrongCount]

    in_virtual_time(story())


@pytest.mark.parametrize("fails_at", ["links", "draft", "register", "cancelled"])
def test_slots_are_given_back_whatever_ends_a_registration(fails_at: str) -> None:
    """An outage, a bug half-way, a cancellation: afterwards all slots are free."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma", "calcom")
        outside.link("alice@example.com", "luma", "calcom")
        worker = FlowStage(outside)
        await worker.directory.refresh()
        resolver = worker.fan_out._resolver
        resolver._store = _Failing(outside, fails_at)
        if fails_at == "draft":
            resolver._new_lease = _three_tokens()
        room = [worker.bulkheads.room(one) for one in worker.directory.platforms.values()]
        task = asyncio.create_task(resolver._resolve([event("evt_1"), event("evt_2")]))
        await pass_time(1)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() or task.exception() is not None
        after = [worker.bulkheads.room(one) for one in worker.directory.platforms.values()]
        assert after == room

    in_virtual_time(story())


def _three_tokens() -> Callable[[], str]:
    """Make three, and then raise: half-way through the second event's two deliveries."""
    tokens = iter(["one", "two", "three"])
    return lambda: next(tokens)


class _Failing(FakeEventStore):
    def __init__(self, outside: Outside, fails_at: str) -> None:
        super().__init__(outside.tables)
        self._fails_at = fails_at

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        if self._fails_at == "links":
            raise StoreUnreachable("away")
        return await super().links(events)

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        if self._fails_at == "register":
            raise StoreUnreachable("away")
        await pass_time(3600)
        return await super().register(intents)
