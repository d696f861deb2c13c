"""A row of the database that can't be read as what it should be."""

from dataclasses import dataclass
from enum import StrEnum


class RowKind(StrEnum):
    """The tables of which single rows are set aside: the label of a metric."""

    API_KEYS = "api_keys"
    DELIVERIES = "deliveries"
    EVENTS = "events"
    LINKS = "links"
    OUTBOX = "outbox"
    PLATFORMS = "platforms"
    REPLAYS = "replays"


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row, and what is wrong with it; it names no user.

    Attributes:
        id: its primary key, as an operator types it.
        what: the column and the problem, in plain words without the user's data.
    """

    table: RowKind
    id: str
    what: str
