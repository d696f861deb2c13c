"""How long to wait before the next attempt."""

from collections.abc import Sequence

DEFAULT_SCHEDULE: tuple[float, ...] = (
    5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0,
)  # fmt: skip
"""Standard Webhooks' recommendation, seconds: 5s 5m 30m 2h 5h 10h 14h 20h 24h."""

JITTER = 0.1
"""Each wait is stretched or shrunk by up to this share, so that a crowd does not return at once."""


def wait_seconds(schedule: Sequence[float], step: int, chance: float) -> float | None:
    """Return the seconds to wait after ``step`` waits were used up, or None when all are.

    Args:
        schedule: waits in seconds, non-decreasing.
        step: 0 for the first wait.
        chance: uniform in [0, 1).
    """
    if step >= len(schedule):
        return None
    return schedule[step] * (1 + JITTER * (2 * chance - 1))
