"""What happened, in the order in which it happened, in virtual time."""

from collections.abc import Callable


class Trace:
    """Lines for a reader; two runs of one seed have the same ones, byte for byte."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines: list[tuple[float, str, str]] = []

    def say(self, who: str, what: str) -> None:
        """Add a line."""
        self._lines.append((self._clock(), who, what))

    def __str__(self) -> str:
        return "\n".join(f"{at:9.4f}  {who:<8}  {what}" for at, who, what in self._lines)
