"""Leases: for how long one worker alone may send a delivery, and what is left of one that expired.

A lease is a token in the delivery's row, together with the instant at which it ends; whoever writes
an outcome shows the token (I3). It outlasts the request, so that nobody sends what is being sent.
"""

MARGIN_S = 15.0
"""How much longer than its request a lease lasts: to sign, to connect late, to commit."""

REPORT_FIRST_S = 10.0
"""How long an expired lease is left alone: its holder may only have lost the database.

Also for how long no expired lease is taken after an outage that was met here.
"""

REPORT_FIRST_MS = round(REPORT_FIRST_S * 1000)


def lease_s(timeout_s: float) -> float:
    """Return how long a lease lasts, seconds, for a platform whose requests may take so long."""
    return timeout_s + MARGIN_S


def in_hand(lease: str | None, ends_at: int | None, now: int) -> bool:
    """Tell whether a worker is sending the delivery, or may still report that it has.

    Args:
        lease: the token, None if nobody holds the delivery.
        ends_at: when it ends or has ended, milliseconds of the database's clock.
        now: by the same clock.
    """
    return lease is not None and (ends_at or 0) > now - REPORT_FIRST_MS
