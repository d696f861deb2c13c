"""The drain: what is in hand is finished and recorded, up to a deadline. Nothing new is begun."""

import asyncio

import structlog

from disconnect_fanout.app.parts import Parts
from disconnect_fanout.flow.fact import Observe, OutcomeUnrecorded
from disconnect_fanout.flow.supervision.ending import ended
from disconnect_fanout.policy.change import Attempted

_LEAVE_WITHIN_S = 1.0


async def drain(parts: Parts, within_s: float, observe: Observe) -> bool:
    """Finish events, then deliveries, then their records; tell whether all were done in time."""
    log = structlog.get_logger()
    log.info("drain.began", message="finishing what is in hand", within_s=within_s)
    finishing = asyncio.create_task(_finish(parts))
    done, _ = await asyncio.wait({finishing}, timeout=within_s)
    if not done:
        await ended({finishing}, _LEAVE_WITHIN_S)
    elif (error := finishing.exception()) is None:
        log.info("drain.done", message="drained: nothing is left")
        return True
    else:
        log.error("drain.failed", message="leases will expire", exc_info=error)
    for change in parts.flow.recorder.unrecorded:
        if isinstance(change, Attempted):
            observe(
                OutcomeUnrecorded(change.delivery_id, change.attempt.number, change.attempt.result)
            )
    words = "left behind; leases will expire"
    log.warning("drain.cut_off", message=words, deliveries=len(parts.flow.sending))
    return False


async def _finish(parts: Parts) -> None:
    await asyncio.gather(parts.flow.scheduler.stop(), parts.flow.consumer.stop())
    await parts.flow.sending.finish()
    await parts.flow.recorder.drain()
    await parts.flow.office.finish()
