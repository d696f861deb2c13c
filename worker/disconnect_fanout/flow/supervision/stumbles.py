"""Stumbles: a background duty's outages. Said once, rested longer each time, visible till over."""

from disconnect_fanout.flow.fact import DutyFailed, DutyResumed, Observe
from disconnect_fanout.flow.outage import BrokerUnreachable

FIRST_REST_S = 0.5
LONGEST_REST_S = 4.0
"""Whoever waits for the database is back within five seconds of it."""


class Stumbles:
    """One duty's.

    Args:
        duty: its name in plain words.
    """

    def __init__(self, duty: str, observe: Observe) -> None:
        self._duty = duty
        self._observe = observe
        self._in_a_row = 0
        self._refusal: str | None = None

    @property
    def problem(self) -> str | None:
        """What the database keeps this duty from, in plain words; None while it goes on."""
        return None if self._refusal is None else f"{self._duty} waits: {self._refusal}"

    def stumbled(self, error: Exception) -> float:
        """Take note of an outage; return how many seconds to rest."""
        if not self._in_a_row:
            self._observe(DutyFailed(self._duty, str(error)))
        self._in_a_row += 1
        self._refusal = None if isinstance(error, BrokerUnreachable) else str(error)
        return min(FIRST_REST_S * 2.0 ** min(self._in_a_row - 1, 8), LONGEST_REST_S)

    def went_well(self) -> None:
        """Take note that the duty was done."""
        if self._in_a_row:
            self._in_a_row, self._refusal = 0, None
            self._observe(DutyResumed(self._duty))
