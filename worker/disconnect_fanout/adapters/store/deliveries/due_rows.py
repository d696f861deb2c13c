"""What is said of waiting rows in SQL: when they are due, and which a replay holds back."""

from sqlalchemy import func, or_, select

from disconnect_fanout.adapters.store.schema.tables import deliveries, replays
from disconnect_fanout.domain.replay import HOLDING

DUE = deliveries.c.next_at
NOT_BEFORE = func.coalesce(deliveries.c.not_before, 0)
_HELD = select(replays.c.id).where(replays.c.state.in_(HOLDING))
NOT_HELD = or_(deliveries.c.job.is_(None), deliveries.c.job.not_in(_HELD))
