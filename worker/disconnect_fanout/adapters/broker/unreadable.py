"""What a publisher has sent instead of an event, in plain words and without a word of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The body of a message can't be read as JSON.

    Attributes:
        words: what it is, and what to publish instead.
    """

    words: str
