"""When a duty that failed is begun again, and when there is no use in it any more.

A bug that bites once must not cost a worker its other duties; one that bites each time must not be
hidden by beginning again for ever.
"""

from dataclasses import dataclass

FIRST_REST_S = 1.0
LONGEST_REST_S = 60.0
SOUND_AFTER_S = 60.0
"""Who has run for so long has done its duty: what fails then is a first failure again."""
MOST_IN_A_ROW = 8
"""Two minutes of failing and nothing else; whoever supervises the process decides then."""


@dataclass(frozen=True, slots=True)
class Failures:
    """How a duty has fared.

    Attributes:
        in_a_row: failures without a sound run between them.
    """

    in_a_row: int = 0

    @property
    def rest_s(self) -> float:
        """Seconds until it is begun again: one, doubling to a minute."""
        return min(FIRST_REST_S * 2.0 ** max(self.in_a_row - 1, 0), LONGEST_REST_S)

    @property
    def hopeless(self) -> bool:
        """Whether the worker should leave instead."""
        return self.in_a_row >= MOST_IN_A_ROW


def failed(before: Failures, ran_s: float) -> Failures:
    """Return what is known after one failure more.

    Args:
        before: what was known.
        ran_s: how long it had run, in seconds.
    """
    return Failures(1 if ran_s >= SOUND_AFTER_S else before.in_a_row + 1)
