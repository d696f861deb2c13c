"""One delivery of a replay's frozen selection: its states, and what becomes of it at its turn."""

from enum import StrEnum

from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.policy.delivery_row import DeliveryRow


class ItemState(StrEnum):
    """Where an item is."""

    WAITING = "waiting"
    """Undelivered when it was selected. Whoever hears of it before its turn need not hear again."""
    AGAIN = "again"
    """Delivered when it was selected, and wanted once more all the same."""
    RELEASED = "released"
    DELIVERED = "delivered"
    FAILED = "failed"
    RECONNECTED = "reconnected"
    """Left out at its turn, or after it: the user has come back since the selection was made."""


def at_its_turn(item: str, row: DeliveryRow | None, *, back: bool = False) -> ItemState:
    """Return what becomes of an item that waited, when its turn has come.

    Args:
        item: its state.
        row: its delivery, None if there is none any more.
        back: its user has come back, and the job leaves such out.
    """
    if row is None or row.state == DeliveryState.DISCARDED:
        return ItemState.FAILED
    if row.delivered and item == ItemState.WAITING:
        return ItemState.DELIVERED
    return ItemState.RECONNECTED if back else ItemState.RELEASED


def taken_back(row: DeliveryRow | None) -> ItemState:
    """Return what a released item is again, when its job is cancelled."""
    if row is None:
        return ItemState.FAILED
    return ItemState.AGAIN if row.delivered else ItemState.WAITING
