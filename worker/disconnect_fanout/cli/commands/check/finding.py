"""What ``fanout check`` found: one line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    Attributes:
        result: ``ok``, ``warning`` (it works, maybe not as meant), ``wrong`` or ``unreachable``.
        detail: what was found, or what to do.
    """

    check: str
    result: str
    detail: str
