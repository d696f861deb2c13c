"""Leaving gracefully: what is claimed late is given back, not sent."""

import asyncio
from collections.abc import Collection, Sequence

from tests.harness.flow.stage import CountingDueStore, FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.outcome import Answer
from disconnect_fanout.flow.due import Claim


class _SlowClaims(CountingDueStore):
    """A store whose claims take a while, as behind another process's lock."""

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        await pass_time(5)
        return await super().claim(
            platform_id, limit=limit, lease_s=lease_s, holding=holding, reclaim=reclaim
        )


def test_a_claim_that_comes_during_a_drain_is_given_back() -> None:
    """The scheduler has ended only when its last claim is given back; no attempt is burned."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        outside.link("alice@example.com", "luma")
        outside.platforms.script = lambda _one: Answer(500)
        async with FlowStage(outside) as worker:
            worker.scheduler._store = _SlowClaims(outside.tables)
            await worker.handle(event("evt_1"))
            await pass_time(6)  # the retry is due, and its claim is under way
            stopping = asyncio.create_task(worker.scheduler.stop())
            await pass_time(0)
            assert not stopping.done()
            await stopping
            await worker.sending.finish()
            await worker.recorder.drain()
            assert len(outside.platforms.requests) == 1
            (row,) = outside.tables.rows()
            assert (row.attempts, row.lease, row.state) == (1, None, "pending")

    in_virtual_time(story())
