"""How long to rest after everything was given back to the broker.

Each giving back counts against an event's delivery limit. The gate is not opened while the database
takes no event; these rests are for what the gate can't see.
"""

FIRST_REST_S = 5.0
LONGEST_REST_S = 600.0
"""With it an event is given back at most a dozen times in an hour, of the twenty that it has."""


def rest_s(in_a_row: int) -> float:
    """Return the seconds to rest.

    Args:
        in_a_row: givings back since an event was settled last, this one included.
    """
    if in_a_row < 1:
        return 0.0
    return float(min(FIRST_REST_S * 2 ** min(in_a_row - 1, 16), LONGEST_REST_S))
