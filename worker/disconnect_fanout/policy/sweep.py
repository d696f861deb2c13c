"""When to compare the dead-letter queue with the rows, letter by letter.

A comparison shows every letter in the queue to the database: seconds, when there are a hundred
thousand. While a replay empties the queue there is always a difference, and a comparison at every
look would be nothing but comparisons. So it is made when the difference has stopped growing, which
is when everything has settled; before that when half of the queue is stale, so that each letter is
looked at twice on average until it is gone; and in any case after a rest of twenty times what it
takes.
"""

from dataclasses import dataclass

_REST = 20.0
_LETTERS_PER_S = 10_000.0  # measured: 100,000 in 5 to 10 s


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at both sides finds.

    Attributes:
        depth: messages in the queue.
        surplus: how many more they are than there should be; below 0, letters are missing.
    """

    depth: int = 0
    surplus: int = 0


def compare_now(before: Look, now: Look, rested_s: float) -> bool:
    """Tell whether the difference is worth a comparison.

    Args:
        before: the look before this one. A letter may be between the queue and its row in one.
        now: this look.
        rested_s: seconds since the last comparison.
    """
    if not (before.surplus and now.surplus):
        return False
    settled = now.surplus == before.surplus
    mostly_stale = 2 * now.surplus >= now.depth
    return settled or mostly_stale or rested_s >= _REST * now.depth / _LETTERS_PER_S
