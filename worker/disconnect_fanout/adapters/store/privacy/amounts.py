"""How much is stored about a person."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What is stored about a person.

    Attributes:
        attempts: those that keep a platform's answer.
        untold: deliveries that wait for a request, for the first time or in a replay.
        dead: open dead letters.
        credentials: calendar credentials.
        promised: events that are not published yet.
        remembered: connects that were learnt, and answers that are given again.
    """

    links: int
    events: int
    deliveries: int
    attempts: int
    untold: int
    dead: int
    credentials: int = 0
    promised: int = 0
    remembered: int = 0

    @property
    def any(self) -> bool:
        """Something is stored about them."""
        known = self.links or self.events or self.credentials or self.remembered
        return bool(known or self.promised)

    @property
    def open(self) -> bool:
        """Somebody has not been notified yet."""
        return bool(self.untold or self.dead or self.promised)
