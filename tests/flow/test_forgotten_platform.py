"""What a worker has learnt about a platform ends with the platform."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from disconnect_fanout.domain.outcome import Answer, Failure, FailureKind
from disconnect_fanout.domain.platform import Platform, Scheme, SigningKey
from disconnect_fanout.flow.bulkheads import Bulkheads, Ticket
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.recoveries import Recoveries, forgetting
from disconnect_fanout.flow.wakeups import Wakeups
from disconnect_fanout.policy.breaker import FAILURES_TO_OPEN

KEY = SigningKey(lambda content: content, lambda body: body)
LUMA = Platform("luma", "Luma", "https://luma.test/", Scheme.STANDARD, (KEY,), 1, 30.0)
SILENT = Failure(FailureKind.UNREACHABLE, "its name server did not answer")


class Worker:
    """The parts that learn, and the registered platforms."""

    def __init__(self) -> None:
        self.registered: list[Platform] = [LUMA]
        self.facts: list[object] = []
        wakeups = Wakeups()
        self.recoveries = Recoveries(lambda: 0.0, wakeups)
        self.bulkheads = Bulkheads(
            64,
            32,
            clock=lambda: 0.0,
            wakeups=wakeups,
            heard=self.recoveries.heard,
            observe=self.facts.append,
        )
        self.directory = Directory(self, forgetting(self.bulkheads, self.recoveries))

    async def platforms(self) -> Sequence[Platform]:
        return self.registered

    async def sees(self, *registered: Platform) -> None:
        """Let it look at what is registered now."""
        self.registered = list(registered)
        await self.directory.refresh()

    def admit(self, platform: Platform = LUMA) -> Ticket:
        """Take a slot that there has to be."""
        ticket = self.bulkheads.admit(platform)
        assert ticket is not None
        return ticket

    def open_breaker(self) -> None:
        """Let as many requests fail as it takes."""
        for _ in range(FAILURES_TO_OPEN):
            self.bulkheads.release(self.admit(), SILENT)
        assert self.bulkheads.open_breakers == {"luma"}


@pytest.fixture
async def worker() -> Worker:
    """One that knows Luma."""
    worker = Worker()
    await worker.sees(LUMA)
    return worker


async def test_a_breaker_ends_with_its_platform(worker: Worker) -> None:
    """It is open no more when the platform is removed, nor for a namesake that is added later."""
    worker.open_breaker()
    await worker.sees()
    assert worker.bulkheads.open_breakers == set()
    await worker.sees(replace(LUMA, revision=1_763_740_000))
    assert worker.bulkheads.room(LUMA) == 32


@pytest.mark.parametrize("revision", [2, 1_763_740_000])
async def test_nor_does_it_speak_for_another_endpoint(worker: Worker, revision: int) -> None:
    """Of a new URL, or removed and added again between two looks."""
    worker.open_breaker()
    await worker.sees(replace(LUMA, revision=revision))
    assert worker.bulkheads.open_breakers == set()
    assert worker.bulkheads.room(LUMA) == 32


async def test_it_stays_open_while_the_platform_is_the_same(worker: Worker) -> None:
    """A pause or another rate does not make its endpoint answer."""
    worker.open_breaker()
    await worker.sees(replace(LUMA, rate_per_s=5.0))
    await worker.sees(replace(LUMA, paused=True))
    assert worker.bulkheads.open_breakers == {"luma"}


async def test_what_was_in_flight_says_nothing_about_the_next(worker: Worker) -> None:
    """Late time-outs of a platform that is gone open no breaker, and its slots come back once."""
    tickets = [worker.admit() for _ in range(10)]
    await worker.sees()
    await worker.sees(replace(LUMA, revision=1_763_740_000))
    assert worker.bulkheads.in_flight("luma") == 10  # the cap is of requests, whoever made them
    before = len(worker.facts)
    for ticket in tickets:
        worker.bulkheads.release(ticket, SILENT)
    assert worker.facts[before:] == []
    assert worker.bulkheads.open_breakers == set()
    assert worker.bulkheads.in_flight("luma") == 0
    assert worker.bulkheads.room(LUMA) == 32


async def test_a_late_probe_leaves_the_new_breaker_alone(worker: Worker) -> None:
    """Neither its failure nor its answer is of the platform that there is now."""
    ticket = worker.admit()
    await worker.sees(replace(LUMA, revision=2))
    worker.open_breaker()
    worker.bulkheads.release(ticket, Answer(200))
    assert worker.bulkheads.open_breakers == {"luma"}


async def test_how_it_recovered_is_forgotten_when_it_is_gone(worker: Worker) -> None:
    """And not before: what waits for a platform whose URL was mended is sent when it answers."""
    worker.open_breaker()
    worker.recoveries.invite("luma")
    await worker.sees(replace(LUMA, revision=2))
    assert worker.recoveries.allowance("luma") > 0
    await worker.sees()
    assert worker.recoveries.ready() == []
    await worker.sees(LUMA)
    assert worker.recoveries.allowance("luma") == 0
