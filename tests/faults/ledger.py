"""The ledger: what was published, received, dead-lettered and recorded, compared by name.

As RabbitMQ's Jepsen suite checks a queue: *lost* was confirmed and came out nowhere, *duplicated*
came out twice without an excuse, *unexpected* came out though nobody put it in, *unrecorded* came
out and the history does not know. Pure: a scene fills the books, this file only compares.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Name(NamedTuple):
    """One delivery: what one platform is to be told about one event."""

    event_id: str
    platform_id: str

    def __str__(self) -> str:
        return f"{self.event_id}>{self.platform_id}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request, as the platform has it.

    Attributes:
        attempt: the number that the request itself names.
        replay: whether it says that it is one.
        verified: its signature is right.
        accepted: the platform took it: it answered 2xx, or would have, had its answer come through.
        at: when it came, in seconds of one clock.
        body: a digest of it; every request of a delivery has the same.
    """

    name: Name
    attempt: int = 1
    replay: bool = False
    verified: bool = True
    accepted: bool = True
    at: float = 0.0
    body: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the history says of a delivery.

    Attributes:
        state: pending, delivered, dead or discarded.
        attempts: the numbers of those that are written down.
        answered: of these, those that an answer came to.
    """

    state: str
    attempts: frozenset[int] = frozenset()
    answered: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Interruption:
    """A moment at which somebody forgot what was in flight: the only excuse for a duplicate (I3).

    Attributes:
        since: requests that came earlier are not excused by it.
        until: nor are later ones.
        recorded: what was on disk at that moment; of these none may be sent again.
    """

    since: float
    until: float
    recorded: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that a run left behind.

    Attributes:
        platforms: each is linked to each user.
        published: ids of the events that the broker has confirmed.
        attempted: these, and those whose confirm never came; they may or may not come out.
        letters: one for each message in the dead-letter queue.
        rejected: ids of the events in the queue of the rejected.
        waiting: deliveries that a platform asked not to make today.
    """

    platforms: Sequence[str]
    published: Collection[str]
    attempted: Collection[str]
    received: Sequence[Receipt]
    recorded: Mapping[Name, Recorded]
    letters: Sequence[Name] = ()
    rejected: Collection[str] = ()
    waiting: Collection[Name] = ()
    interruptions: Sequence[Interruption] = field(default=())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What does not add up, each by name; ``excused`` are the duplicates that I3 allows."""

    lost: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.duplicated or self.unexpected or self.unrecorded)

    def __str__(self) -> str:
        kinds = ("lost", "duplicated", "unexpected", "unrecorded", "excused")
        counts = {kind: getattr(self, kind) for kind in kinds}
        return ", ".join(f"{len(found)} {kind}" for kind, found in counts.items())


def judge(books: Books) -> Verdict:
    """Compare the books."""
    excused, duplicated = _duplicates(books)
    return Verdict(
        lost=_words(_lost(books)),
        duplicated=_words([*duplicated, *_double_letters(books)]),
        unexpected=_words(_unexpected(books)),
        unrecorded=_words(_unrecorded(books)),
        excused=_words(excused),
    )


def _words(found: Iterable[object]) -> tuple[str, ...]:
    return tuple(sorted(map(str, found)))


def _lost(books: Books) -> Iterator[Name]:
    heard = {one.name for one in books.received if one.verified and one.accepted}
    ended = heard | set(books.letters) | set(books.waiting)
    for event_id in books.published:
        for platform_id in books.platforms:
            name = Name(event_id, platform_id)
            if name not in ended and event_id not in books.rejected:
                yield name


def _duplicates(books: Books) -> tuple[list[str], list[str]]:
    """Return the excused and the others: a request after an accepted one, or of the same number."""
    rounds: dict[tuple[Name, bool], list[Receipt]] = defaultdict(list)
    for one in sorted(books.received, key=lambda receipt: receipt.at):
        rounds[one.name, one.replay].append(one)
    excused: list[str] = []
    rest: list[str] = []
    for (name, _), receipts in rounds.items():
        for index, one in enumerate(receipts):
            before = [
                earlier
                for earlier in receipts[:index]
                if earlier.accepted or earlier.attempt == one.attempt
            ]
            if before:
                fine = any(_excuses(why, before[-1]) for why in books.interruptions)
                (excused if fine else rest).append(f"{name}#{one.attempt}")
    return excused, rest


def _excuses(why: Interruption, first: Receipt) -> bool:
    return why.since <= first.at <= why.until and first.name not in why.recorded


def _double_letters(books: Books) -> Iterator[str]:
    for name, count in Counter(books.letters).items():
        if count > 1:
            yield f"{count} letters of {name}"


def _unexpected(books: Books) -> Iterator[str]:
    known = {Name(event, one) for event in books.attempted for one in books.platforms}
    came = {(one.name, one.attempt) for one in books.received}
    heard = {one.name for one in books.received if one.accepted}
    bodies: dict[Name, set[str]] = defaultdict(set)
    for one in books.received:
        bodies[one.name].add(one.body)
        if one.name not in known:
            yield f"{one.name}, which nobody published"
        if not one.verified:
            yield f"{one.name}#{one.attempt}, whose signature is wrong"
    yield from (f"{name}, with two bodies" for name, seen in bodies.items() if len(seen) > 1)
    yield from (f"a letter of {name}" for name in set(books.letters) - known)
    for name, row in books.recorded.items():
        yield from (
            f"an answer to {name}#{number}, which never came"
            for number in row.answered
            if (name, number) not in came
        )
        if row.state == "delivered" and name not in heard:
            yield f"{name}, recorded as delivered, and its platform never took it"


def _unrecorded(books: Books) -> Iterator[str]:
    nothing = Recorded("missing")
    for one in books.received:
        row = books.recorded.get(one.name, nothing)
        if one.attempt not in row.attempts:
            yield f"{one.name}#{one.attempt}"
        if one.accepted and row.state != "delivered":
            yield f"{one.name}, which is {row.state}"
    dead = {name for name, row in books.recorded.items() if row.state == "dead"}
    yield from (f"{name}, dead without a letter" for name in dead - set(books.letters))
    yield from (f"{name}, a letter without a row" for name in set(books.letters) - dead)
