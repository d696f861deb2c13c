"""The ledger finds each thing that can be wrong, and says nothing where nothing is."""

from dataclasses import replace

import pytest
from tests.faults.ledger import Books, Interruption, Name, Receipt, Recorded, Verdict, judge

ONE, TWO = Name("evt_1", "boardy"), Name("evt_1", "luma")
TOLD = Recorded("delivered", frozenset({1}), frozenset({1}))
DEAD = Recorded("dead", frozenset({1}), frozenset({1}))
RIGHT = Books(
    platforms=("boardy", "luma"),
    published={"evt_1"},
    attempted={"evt_1", "evt_unconfirmed"},
    received=[Receipt(ONE), Receipt(TWO)],
    recorded={ONE: TOLD, TWO: TOLD},
)
AGAIN = [Receipt(ONE, at=1.0), Receipt(ONE, attempt=2, at=9.0), Receipt(TWO)]
TOLD_AGAIN = {ONE: Recorded("delivered", frozenset({1, 2}), frozenset({2})), TWO: TOLD}


def test_right_books_are_found_right() -> None:
    """Each confirmed event told to each platform once, all of it recorded."""
    assert judge(RIGHT) == Verdict()
    assert judge(RIGHT).holds


@pytest.mark.parametrize(
    ("books", "kind", "says"),
    [
        (replace(RIGHT, published={"evt_1", "evt_2"}), "lost", ("evt_2>boardy", "evt_2>luma")),
        (replace(RIGHT, received=[Receipt(ONE)], recorded={ONE: TOLD}), "lost", ("evt_1>luma",)),
        (
            replace(RIGHT, received=[Receipt(ONE), Receipt(TWO, accepted=False)]),
            "lost",
            ("evt_1>luma",),
        ),
        (
            replace(RIGHT, received=[Receipt(ONE), Receipt(TWO, verified=False)]),
            "lost",
            ("evt_1>luma",),
        ),
        (replace(RIGHT, received=AGAIN, recorded=TOLD_AGAIN), "duplicated", ("evt_1>boardy#2",)),
        (
            replace(
                RIGHT, received=[Receipt(ONE, accepted=False), Receipt(ONE, at=1.0), Receipt(TWO)]
            ),
            "duplicated",
            ("evt_1>boardy#1",),
        ),
        (
            replace(
                RIGHT,
                received=[Receipt(ONE), Receipt(TWO, accepted=False)],
                recorded={ONE: TOLD, TWO: DEAD},
                letters=[TWO, TWO],
            ),
            "duplicated",
            ("2 letters of evt_1>luma",),
        ),
        (
            replace(RIGHT, received=[*RIGHT.received, Receipt(Name("evt_9", "luma"))]),
            "unexpected",
            ("evt_9>luma, which nobody published",),
        ),
        (
            replace(RIGHT, received=[Receipt(ONE), Receipt(TWO, verified=False)]),
            "unexpected",
            ("evt_1>luma#1, whose signature is wrong",),
        ),
        (
            replace(
                RIGHT, received=[*AGAIN, Receipt(ONE, body="x", at=10)], recorded=TOLD_AGAIN
            ),
            "unexpected",
            ("evt_1>boardy, with two bodies",),
        ),
        (
            replace(RIGHT, received=[Receipt(ONE)]),
            "unexpected",
            (
                "an answer to evt_1>luma#1, which never came",
                "evt_1>luma, recorded as delivered, and its platform never took it",
            ),
        ),
        (
            replace(RIGHT, letters=[Name("evt_9", "luma")]),
            "unexpected",
            ("a letter of evt_9>luma",),
        ),
        (
            replace(RIGHT, recorded={ONE: TOLD, TWO: replace(TOLD, attempts=frozenset())}),
            "unrecorded",
            ("evt_1>luma#1",),
        ),
        (
            replace(RIGHT, recorded={ONE: TOLD}),
            "unrecorded",
            ("evt_1>luma#1", "evt_1>luma, which is missing"),
        ),
        (
            replace(RIGHT, recorded={ONE: TOLD, TWO: replace(TOLD, state="pending")}),
            "unrecorded",
            ("evt_1>luma, which is pending",),
        ),
        (
            replace(RIGHT, received=[Receipt(ONE)], recorded={ONE: TOLD, TWO: DEAD}),
            "unrecorded",
            ("evt_1>luma, dead without a letter",),
        ),
        (
            replace(RIGHT, letters=[TWO]),
            "unrecorded",
            ("evt_1>luma, a letter without a row",),
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(books: Books, kind: str, says: tuple[str, ...]) -> None:
    """Every single way in which books can be wrong is found, and by name."""
    verdict = judge(books)
    assert getattr(verdict, kind) == says
    assert not verdict.holds


@pytest.mark.parametrize(
    "books",
    [
        replace(RIGHT, published={"evt_1", "evt_2"}, rejected={"evt_2"}),
        replace(RIGHT, published=(), received=(), recorded={}),
        replace(RIGHT, received=[Receipt(ONE)], recorded={ONE: TOLD}, waiting=[TWO]),
        replace(
            RIGHT,
            received=[Receipt(ONE), Receipt(TWO, accepted=False)],
            recorded={ONE: TOLD, TWO: DEAD},
            letters=[TWO],
        ),
        replace(
            RIGHT,
            received=[Receipt(ONE), Receipt(ONE, attempt=2, replay=True, at=1.0), Receipt(TWO)],
            recorded=TOLD_AGAIN,
        ),
        replace(
            RIGHT,
            received=[Receipt(ONE, accepted=False), Receipt(ONE, attempt=2, at=1), Receipt(TWO)],
            recorded=TOLD_AGAIN,
        ),
        replace(
            RIGHT,
            received=AGAIN,
            recorded=TOLD_AGAIN,
            interruptions=[Interruption(since=0.0, until=2.0)],
        ),
    ],
    ids=["rejected", "unconfirmed", "waits", "dead", "replayed", "retried", "in flight"],
)
def test_what_is_allowed_is_not_held_against_it(books: Books) -> None:
    """Rejected, unconfirmed, dead with its letter, replayed, retried, in flight at a kill."""
    assert judge(books).holds


@pytest.mark.parametrize(
    "why",
    [
        Interruption(since=2.0, until=3.0),
        Interruption(since=0.0, until=0.5),
        Interruption(since=0.0, until=2.0, recorded=frozenset({ONE})),
    ],
    ids=["sent before", "sent after", "recorded"],
)
def test_an_excuse_covers_only_what_was_in_flight(why: Interruption) -> None:
    """Not what was sent long before or after it, nor what was on disk by then."""
    verdict = judge(replace(RIGHT, received=AGAIN, recorded=TOLD_AGAIN, interruptions=[why]))
    assert (verdict.duplicated, verdict.excused) == (("evt_1>boardy#2",), ())
