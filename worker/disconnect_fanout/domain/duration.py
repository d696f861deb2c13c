"""Spans of time as people write them: ``5s``, ``30m``, ``2h``, ``7d``, ``250ms``."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PATTERN = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)(?P<unit>ms|s|m|h|d)")
ACCEPTED_FORMS = "a number with a unit: 250ms, 5s, 30m, 2h, 7d"


def parse_duration(text: str) -> float:
    """Return seconds.

    Raises:
        ValueError: the text is not one number with one of the units ms, s, m, h, d.
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; expected {ACCEPTED_FORMS}")
    return float(match["number"]) * _UNITS[match["unit"]]


def format_duration(seconds: float) -> str:
    """Return the shortest form that reads well: ``45s``, ``5m``, ``2h 30m``, ``7d``."""
    if round(seconds, 3) < 1:
        return f"{seconds * 1000:.0f}ms"
    left = round(seconds)
    parts: list[str] = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_UNITS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])
