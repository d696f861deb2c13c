"""What another replay has released and holds, paused or cancelled: whoever runs sends it.

An item whose delivery is under way already rides along with the job that sends it. When that job
is held up, its rows are, and nobody who rides on them must wait for it.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, or_, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import deliveries, replay_items, replaying
from disconnect_fanout.policy.lease import REPORT_FIRST_MS
from disconnect_fanout.policy.replay_item import ItemState


def held_by_others(
    database: Database, job: str, held: Collection[str], congested: Collection[str]
) -> Select[Any]:
    """Ask for deliveries that a job waits for, and that held jobs keep from being sent.

    With each comes the reason of the dead letter that it was, as the held job noted it.

    Args:
        database: speaks the dialect.
        job: the one that waits.
        held: ids of jobs that are paused, or cancelled and not finished.
        congested: platforms that get no more for now.
    """
    theirs = replay_items.alias("theirs")
    abandoned = database.now_ms - REPORT_FIRST_MS
    return (
        select(replay_items.c.delivery_id, theirs.c.reason)
        .join(deliveries, deliveries.c.id == replay_items.c.delivery_id)
        .outerjoin(
            theirs,
            and_(theirs.c.job == deliveries.c.job, theirs.c.delivery_id == deliveries.c.id),
        )
        .where(
            replay_items.c.job == job,
            replay_items.c.state == ItemState.RELEASED,
            replay_items.c.platform_id.not_in(congested),
            replaying,
            deliveries.c.job != job,
            database.among(deliveries.c.job, held),
            or_(deliveries.c.lease.is_(None), deliveries.c.next_at <= abandoned),
        )
    )
