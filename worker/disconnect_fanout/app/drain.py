"""The drain: what is in hand is finished and recorded, up to a deadline. Nothing new is begun."""

import asyncio

import structlog

from disconnect_fanout.app.parts import Parts
from disconnect_fanout.flow.change import Attempted
from disconnect_fanout.flow.fact import Observe, OutcomeUnrecorded


async def drain(parts: Parts, within_s: float, observe: Observe) -> bool:
    """Finish events, then deliveries, then their records; tell whether all were done in time."""
    log = structlog.get_logger()
    log.info("draining", within_s=within_s)
    try:
        async with asyncio.timeout(within_s):
            await asyncio.gather(parts.scheduler.stop(), parts.consumer.stop())
            await parts.sending.finish()
            await parts.recorder.drain()
            await parts.office.finish()
    except TimeoutError:
        left = [one for one in parts.recorder.unrecorded if isinstance(one, Attempted)]
        for change in left:
            observe(
                OutcomeUnrecorded(change.delivery_id, change.attempt.number, change.attempt.result)
            )
        log.warning("left behind; leases will expire", deliveries=len(parts.sending))
        return False
    log.info("drained")
    return True
