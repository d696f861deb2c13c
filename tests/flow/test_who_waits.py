"""Rows that wait get their share of the slots, however many new events come meanwhile."""

import asyncio
from collections.abc import Collection, Sequence

import pytest
from tests.harness.fakes.store import FakeDueStore
from tests.harness.flow.stage import FlowStage, Outside, bulkheads_of, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.due import Claim


class _SlowClaims(FakeDueStore):
    """A claim takes its time, as on a busy machine."""

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        claims = await super().claim(
            platform_id, limit=limit, lease_s=lease_s, holding=holding, reclaim=reclaim
        )
        await pass_time(0.05)
        return claims


@pytest.mark.parametrize("limits", [{}, {"rate_per_s": 40.0}])
def test_who_waits_is_sent_although_new_events_come_all_the_time(
    limits: dict[str, object],
) -> None:
    """A claim takes a moment, in which events would take every slot, or turn, that comes free.

    The claim would be given back, due behind all others, and the same again.
    """

    async def story() -> None:
        outside = _linked(users=120)
        outside.register("luma", **limits)
        outside.platforms.took_s = 0.1
        async with FlowStage(outside, cap=4) as worker:
            worker.scheduler._store = _SlowClaims(outside.tables)
            began = asyncio.get_running_loop().time()
            first = [worker.take(event(f"evt_{n}", f"user{n}@example.com")) for n in range(20)]
            for n in range(20, 120):  # a few more than can be sent
                await pass_time(0.022)
                worker.take(event(f"evt_{n}", f"user{n}@example.com"))
            await asyncio.gather(*(task for _, task in first))
            sent = dict(zip(outside.platforms.heard("luma"), outside.platforms.at, strict=True))
            names = [delivery_id(f"evt_{n}", "luma") for n in range(20)]
            assert set(names) <= sent.keys()
            assert max(map(sent.__getitem__, names)) - began < 1.5

    in_virtual_time(story())


def test_what_is_kept_for_one_platform_is_given_to_no_other() -> None:
    """Neither to its own newcomers nor to those of others; afterwards nothing is kept."""
    outside = _linked(users=1)
    outside.register("calcom")
    luma, calcom = (outside.tables.platforms[one] for one in ("luma", "calcom"))
    bulkheads = bulkheads_of(8)
    assert bulkheads.room(luma) == 4
    with bulkheads.keeping("luma", 4):
        assert _admitted(bulkheads, luma) == 0
        assert _admitted(bulkheads, calcom) == 2  # of the four that are not kept
    assert bulkheads.room(luma) >= 3
    assert _admitted(bulkheads, calcom) == 2  # nothing is kept any more: half of eight


def _admitted(bulkheads: Bulkheads, platform: Platform) -> int:
    count = 0
    while bulkheads.admit(platform):
        count += 1
    return count


def _linked(*, users: int) -> Outside:
    outside = Outside()
    outside.register("luma")
    for n in range(users):
        outside.link(f"user{n}@example.com", "luma")
    return outside
