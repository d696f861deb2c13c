"""Who is to blame when an event could not be handled: it alone, or something that hits everything.

What hits everything is an outage: events are held and nothing is booked on them (I12). Whose a
refusal of the database is, its class says; our own code's crashes are distinguished by whether
others pass.
"""

from dataclasses import dataclass, field
from enum import Enum

MANY = 3
"""So many different events in a row that meet the same failure are no coincidence."""


class Fault(Enum):
    """What a refusal of the database is."""

    ANSWER = "it could not answer"  # a connection, a lock, resources, a lost race: it passes
    EVERYBODY = "it refuses whoever asks"
    DATA = "it refuses these rows"  # perhaps; whether it takes others tells


# PostgreSQL's conditions that pass: connection, resources, intervention, system, lost races.
_PASSING = ("08", "53", "57", "58", "40", "55P03", "25006")
_OF_THE_DATA = ("22", "23")


def blamed(sqlstate: str) -> Fault:
    """Return what PostgreSQL's code says; what is unknown is an outage, never an event's fault."""
    if sqlstate.startswith(_PASSING):
        return Fault.ANSWER
    return Fault.DATA if sqlstate.startswith(_OF_THE_DATA) else Fault.EVERYBODY


@dataclass(frozen=True, slots=True)
class Crashes:
    """Events in a row on which our own code has failed in the same way.

    Attributes:
        kind: how.
        events: which, each once however often it came.
    """

    kind: str = ""
    events: frozenset[str] = field(default_factory=frozenset)

    @property
    def hits_everything(self) -> bool:
        """Whether it is an outage by now."""
        return len(self.events) >= MANY


def crashed(before: Crashes, kind: str, event: str) -> Crashes:
    """Return what is known after a crash. An event that passes ends the row: ``Crashes()``."""
    others = before.events if before.kind == kind else frozenset[str]()
    return Crashes(kind, others if len(others) >= MANY else others | {event})
