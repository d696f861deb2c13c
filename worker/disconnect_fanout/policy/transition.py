"""What follows from a change of a delivery's row, read off the row before and after it."""

from dataclasses import dataclass

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.instant import from_ms
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.delivery_row import DeliveryRow

_CUT_OFF = "its worker ended before it could record the outcome"


@dataclass(frozen=True, slots=True)
class Transition:
    """A row as it was read, under lock, and as it shall be."""

    before: DeliveryRow
    after: DeliveryRow

    @property
    def cut_off(self) -> Attempt | None:
        """The attempt of a worker whose lease expired, if this change is the one that counts it."""
        row = self.after
        if row.last_result != Result.INTERRUPTED or row.attempts == self.before.attempts:
            return None
        return Attempt(
            number=row.attempts,
            at=from_ms(row.read_at),
            result=Result.INTERRUPTED,
            status=None,
            duration_ms=0,
            answer=_CUT_OFF,
            replay=self.before.replays > 0,
        )

    @property
    def delivered(self) -> bool | None:
        """Whether its requests, which have now ended, have delivered it; None if they go on."""
        if not self.before.under_way or self.after.under_way:
            return None
        if not self.before.delivered:
            return self.after.delivered
        # Delivered once more: another attempt has been, and it is the one that is remembered.
        again = self.after.attempts > self.before.attempts
        return again and self.after.last_result == Result.DELIVERED

    @property
    def closes_items(self) -> bool:
        """Whether the replays that wait for its end have their answer; see ``delivered``."""
        return self.after.job is not None and self.delivered is not None
