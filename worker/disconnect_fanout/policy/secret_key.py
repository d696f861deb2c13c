"""Which secret keys this process lacks. A key is known by its fingerprint, never by itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

SAFE_ORDER = (
    "to rotate, first OLD,NEW on every worker and api, "
    "then NEW,OLD everywhere, then fanout secret-key reseal"
)
"""Whoever seals with NEW before all hold it makes the others unready."""

SEEN_EVERY_S = 10.0
QUIET_AFTER_S = 3 * SEEN_EVERY_S
"""Nobody runs any more who seals with a key that was not seen for so long."""


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """A key with which something in the database was sealed.

    Attributes:
        fingerprint: sixteen hexadecimal digits; they tell nothing of the key.
        since: when it was first used.
        seen_at: when a process that seals with it was last seen, give or take ``SEEN_EVERY_S``.
    """

    fingerprint: str
    since: datetime
    seen_at: datetime


def lacking(in_use: Sequence[KeyInUse], held: Collection[str]) -> tuple[KeyInUse, ...]:
    """Return the keys in use that are not among those held."""
    return tuple(one for one in in_use if one.fingerprint not in held)


def words(missing: Sequence[KeyInUse]) -> str | None:
    """Say which keys are missing and what to do; None if none is."""
    if not missing:
        return None
    which = ", ".join(
        f"{one.fingerprint} in use since {one.since:%Y-%m-%d %H:%M:%SZ}" for one in missing
    )
    return (
        f"FANOUT_SECRET_KEY lacks a key with which this database was sealed (fingerprint {which}): "
        f"put it behind the others and start again; {SAFE_ORDER}"
    )
