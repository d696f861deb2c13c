"""Gauges speak of the platforms that there are: of each from the start, of none that is gone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.harness.flow.stage import bulkheads_of

from disconnect_fanout.app.gauges import Gauges
from disconnect_fanout.domain.platform import Platform, Scheme
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.fact import BreakerTurned
from disconnect_fanout.telemetry.metrics import Metrics


def platform(name: str) -> Platform:
    """A registered one."""
    return Platform(name, name, f"https://{name}.test/", Scheme.STANDARD, (), 1, 30.0)


@dataclass
class Counted:
    """What the database says, and what it was told."""

    dead: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    registered: list[Platform] = field(default_factory=list)
    reported: Collection[str] = ()

    async def count_dead(self) -> Mapping[str, int]:
        return self.dead

    async def count(self) -> Mapping[str, int]:
        return self.waiting

    async def report(self, platform_ids: Collection[str]) -> None:
        self.reported = platform_ids

    async def platforms(self) -> Sequence[Platform]:
        return self.registered


class Watched:
    """The gauges of a worker whose clock a test sets."""

    def __init__(self) -> None:
        self.counted = Counted()
        self.metrics = Metrics()
        self.directory = Directory(self.counted)
        self.bulkheads = bulkheads_of(8, self.metrics.observe)
        self.now = 0.0
        store: Any = self.counted  # the part of it that gauges ask
        self.gauges = Gauges(
            letters=store,
            waiting=self.counted,
            breakers=self.counted,
            bulkheads=self.bulkheads,
            directory=self.directory,
            metrics=self.metrics,
            clock=lambda: self.now,
        )

    async def sees(self, *names: str) -> None:
        """Look, with these platforms registered."""
        self.counted.registered = [platform(name) for name in names]
        await self.directory.refresh()
        self.now += 60
        await self.gauges.look()

    def shown(self, gauge: str) -> dict[str, float]:
        """A gauge by platform."""
        return {
            sample.labels["platform"]: sample.value
            for family in text_string_to_metric_families(self.metrics.exposition().decode())
            for sample in family.samples
            if sample.name == gauge
        }


@pytest.fixture
def watched() -> Watched:
    """A worker before its first look."""
    return Watched()


async def test_a_breaker_is_shown_from_the_start_and_while_there_is_a_platform(
    watched: Watched,
) -> None:
    """0, then 1, then nothing; and 0 again for a namesake."""
    await watched.sees("luma", "boardy")
    assert watched.shown("fanout_breaker_open") == {"luma": 0, "boardy": 0}
    watched.metrics.observe(BreakerTurned("luma", opened=True))
    assert watched.shown("fanout_breaker_open") == {"luma": 1, "boardy": 0}
    await watched.sees("boardy")
    assert watched.shown("fanout_breaker_open") == {"boardy": 0}
    await watched.sees("luma", "boardy")
    assert watched.shown("fanout_breaker_open") == {"luma": 0, "boardy": 0}


async def test_a_late_word_about_a_removed_platform_does_not_stay(watched: Watched) -> None:
    """Its last requests time out when it is gone already."""
    await watched.sees("luma")
    await watched.sees()
    watched.metrics.observe(BreakerTurned("luma", opened=True))
    await watched.sees()
    assert watched.shown("fanout_breaker_open") == {}


async def test_breakers_are_shown_also_while_nothing_is_counted(watched: Watched) -> None:
    """Counting takes its time with many rows; whether a platform is there is known each second."""
    await watched.sees("luma")
    watched.metrics.observe(BreakerTurned("luma", opened=True))
    watched.counted.registered = []
    await watched.directory.refresh()
    await watched.gauges.look()
    assert watched.shown("fanout_breaker_open") == {}


@pytest.mark.parametrize("gauge", ["fanout_dead_letter_depth", "fanout_deliveries_waiting"])
async def test_rows_of_a_removed_platform_are_counted_as_unknown(
    watched: Watched, gauge: str
) -> None:
    """They are still there, under no name that is registered; then they are not."""
    watched.counted.dead = watched.counted.waiting = {"luma": 3, "boardy": 1}
    await watched.sees("luma", "boardy")
    assert watched.shown(gauge) == {"luma": 3, "boardy": 1}
    await watched.sees("boardy")
    assert watched.shown(gauge) == {"unknown": 3, "boardy": 1}
    watched.counted.dead = watched.counted.waiting = {}
    await watched.sees("boardy")
    assert watched.shown(gauge) == {}
