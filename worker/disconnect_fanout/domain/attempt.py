"""An attempt: one request that was made, and what came back."""

from dataclasses import dataclass
from datetime import datetime

from disconnect_fanout.domain.outcome import Result


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of a delivery's timeline.

    Attributes:
        number: counts from 1 and never restarts.
        status: the HTTP status, None without an answer.
        answer: the first 1 KiB of the answer, or the words for why there was none.
    """

    number: int
    at: datetime
    result: Result
    status: int | None
    duration_ms: int
    answer: str
    replay: bool = False
