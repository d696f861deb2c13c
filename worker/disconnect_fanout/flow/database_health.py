"""What this process knows of its database: one knowledge, for all who must not judge without it.

Whoever asks the database tells of it here; the consumer's watch, the scheduler, readiness and the
gate look here, instead of each learning of an outage in its own time and way, or not at all.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import count

from disconnect_fanout.flow.outage import SecretKeyMissing, StoreRefuses, StoreUnreachable

SLOW_S = 10.0
"""Who has waited so long for an answer waits for the database, whatever comes of it in the end."""


class Ask(StrEnum):
    """What a database is asked for; it may take the one and refuse the other."""

    READ = "read"
    INTEND = "intend"
    RECORD = "record"
    EVENT = "event"  # all that an event needs, beside the single statements


class DatabaseHealth:
    """Hears of each question's begin and end.

    Args:
        clock: seconds, monotonic.

    Attributes:
        outages: how often it has failed to answer, on whichever connection: a pool that has noticed
            a crash of the server hides it from everybody who comes later.
        lacking_key: which secret key this process lacks, in plain words; None while it has all.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = count()
        self._asked_at: dict[int, float] = {}  # in the order in which they were asked
        self._failing: dict[Ask, StoreUnreachable] = {}
        self.outages = 0
        self.lacking_key: str | None = None

    @contextmanager
    def asking(self, what: Ask) -> Iterator[None]:
        """Ask within this block; ``StoreUnreachable`` passes through and is remembered."""
        number = next(self._numbers)
        self._asked_at[number] = self._clock()
        try:
            yield
        except SecretKeyMissing as error:  # it answers well enough
            self.lacking_key = str(error)
            raise
        except StoreUnreachable as error:
            self.outages += 1
            self._failing[what] = error
            raise
        finally:
            del self._asked_at[number]
        self._failing.pop(what, None)

    @property
    def problem(self) -> str | None:
        """What is wrong with it, in plain words; None while it answers."""
        refusals = [one for one in self._failing.values() if isinstance(one, StoreRefuses)]
        if Ask.READ in self._failing and not refusals:
            return "the database does not answer"
        if Ask.EVENT in self._failing:
            return f"the database takes no event: {self._failing[Ask.EVENT]}"
        if refusals:
            return f"the database refuses: {refusals[0]}"
        if self._failing:
            return "the database takes no commit: is its disk full, or is it locked?"
        if self._waited_s >= SLOW_S:
            return f"the database has not answered for {self._waited_s:.0f} s"
        return self.lacking_key

    @property
    def _waited_s(self) -> float:
        oldest = next(iter(self._asked_at.values()), None)
        return 0.0 if oldest is None else self._clock() - oldest
