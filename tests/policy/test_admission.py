"""Admission: may this platform be given a slot now?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.admission import Pressure, opens_at, room, to_keep
from disconnect_fanout.policy.breaker import Breaker, started
from disconnect_fanout.policy.rate import spend

NOW = 1000.0
CLOSED = Breaker()
OPEN = Breaker(failures=5, cooldown_s=2.0, open_until=NOW + 1)
DUE = Breaker(failures=5, cooldown_s=2.0, open_until=NOW)
PROBING = replace(DUE, probing=True)

breakers = st.sampled_from([CLOSED, OPEN, DUE, PROBING])
rates = st.tuples(
    st.none() | st.sampled_from([0.5, 3.0, 50.0, 1000.0]), st.floats(NOW - 1, NOW + 5)
)


def pressure(in_flight: int, cap: int, free: int, breaker: Breaker = CLOSED) -> Pressure:
    """A platform without a rate."""
    return Pressure(in_flight, cap, free, breaker)


def admit(one: Pressure) -> Pressure:
    """What the pressure is after one request was let through."""
    due = one.rate_due
    if one.rate_per_s is not None:
        due = spend(one.rate_per_s, due, NOW)
    return replace(
        one,
        in_flight=one.in_flight + 1,
        free_slots=one.free_slots - 1,
        breaker=started(one.breaker),
        rate_due=due,
    )


ROOM = [  # in flight, cap, free slots, room
    (0, 32, 0, 0),
    (0, 32, 1, 1),
    (0, 32, 2, 1),
    (0, 32, 3, 2),
    (1, 32, 1, 0),  # holds as many as are free
    (1, 32, 2, 1),
    (1, 32, 3, 1),
    (1, 32, 4, 2),
    (5, 32, 4, 0),
    (0, 1, 100, 1),
    (1, 1, 100, 0),
    (31, 32, 100, 1),
    (32, 32, 100, 0),
    (33, 32, 100, 0),  # the cap was lowered under way
    (0, 32, 100, 32),
    (0, 100, 100, 50),
]


def test_own_requests_stay_below_the_cap_and_the_free_slots() -> None:
    """Each new request finds its platform's own ones below both its cap and the free slots."""
    for in_flight, cap, free, expected in ROOM:
        assert room(pressure(in_flight, cap, free), NOW) == expected, (in_flight, cap, free)


@pytest.mark.parametrize(
    ("breaker", "free", "expected"),
    [(CLOSED, 9, 5), (OPEN, 9, 0), (DUE, 9, 1), (DUE, 0, 0), (PROBING, 9, 0)],
)
def test_an_open_breaker_leaves_room_for_its_one_probe(
    breaker: Breaker, free: int, expected: int
) -> None:
    """Open: nothing; due: one probe, if a slot is free; probing: nothing more."""
    assert room(pressure(0, 32, free, breaker), NOW) == expected


@pytest.mark.parametrize(
    ("per_s", "free", "expected"), [(50, 100, 5), (50, 3, 2), (50, 1, 1), (1, 100, 1)]
)
def test_the_rate_limits_what_slots_allow(per_s: float, free: int, expected: int) -> None:
    """The smaller of slots and tokens counts."""
    one = replace(pressure(0, 32, free), rate_per_s=per_s)
    assert room(one, NOW) == expected
    assert room(replace(one, rate_due=NOW + 1), NOW) == 0


@given(
    st.integers(0, 12),
    st.integers(1, 12),
    st.integers(0, 24),
    breakers,
    rates,
)
def test_room_agrees_with_admitting_one_by_one(
    in_flight: int, cap: int, free: int, breaker: Breaker, rate: tuple[float | None, float]
) -> None:
    """Room for k: k requests in a row find room, and the next one does not."""
    one = Pressure(in_flight, cap, free, breaker, *rate)
    promised, admitted = room(one, NOW), 0
    while room(one, NOW) > 0:
        one, admitted = admit(one), admitted + 1
    assert admitted == promised


@given(
    st.integers(1, 40),
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.lists(st.integers(0, 11), max_size=120),
)
def test_hung_platforms_cannot_keep_a_healthy_one_out(
    slots: int, caps: list[int], asks: list[int]
) -> None:
    """Nothing that hangs is ever released, in any order, and a healthy one gets each last slot."""
    held, free = [0] * len(caps), slots
    for ask in asks:
        who = ask % len(caps)
        if room(pressure(held[who], caps[who], free), NOW) > 0:
            held[who], free = held[who] + 1, free - 1
        assert held[who] <= min(caps[who], slots)
        assert sum(held) + free == slots
        assert (room(pressure(0, 1, free), NOW) == 1) is (free >= 1)


def test_one_hung_platform_leaves_half_of_the_slots() -> None:
    """However high its cap, one platform alone gets no more than half, rounded up."""
    for slots in range(1, 65):
        assert room(pressure(0, 1000, slots), NOW) == -(-slots // 2)


@pytest.mark.parametrize(
    ("one", "instant"),
    [
        (pressure(0, 32, 9), None),
        (pressure(0, 32, 9, OPEN), NOW + 1),
        (pressure(0, 1, 9, OPEN), NOW + 1),
        (pressure(0, 32, 9, PROBING), None),
        (pressure(32, 32, 99, OPEN), None),
        (pressure(0, 32, 0, OPEN), None),
        (Pressure(0, 32, 9, CLOSED, 10.0, NOW + 5), NOW + 5),
        (Pressure(0, 32, 9, OPEN, 10.0, NOW + 5), NOW + 5),
        (Pressure(0, 32, 9, OPEN, 10.0, NOW), NOW + 1),
        (Pressure(0, 32, 9, PROBING, 10.0, NOW + 5), None),
        (Pressure(32, 32, 99, CLOSED, 10.0, NOW + 5), None),
    ],
)
def test_the_instant_that_makes_room_is_named_only_if_time_alone_makes_it(
    one: Pressure, instant: float | None
) -> None:
    """The later of breaker and rate; none where a slot or a probe must come back first."""
    assert opens_at(one) == instant


@given(
    st.integers(0, 6),
    st.integers(1, 6),
    st.integers(0, 12),
    breakers,
    rates,
)
def test_waiting_for_the_named_instant_is_enough(
    in_flight: int, cap: int, free: int, breaker: Breaker, rate: tuple[float | None, float]
) -> None:
    """Without room there is some at the named instant, which is ahead: no loop that spins."""
    one = Pressure(in_flight, cap, free, breaker, *rate)
    at = opens_at(one)
    if room(one, NOW) == 0 and at is not None:
        assert at > NOW
        assert room(one, at) >= 1


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), breakers, rates)
def test_half_of_the_room_is_for_who_waits_and_the_rest_for_who_comes(
    in_flight: int, cap: int, free: int, breaker: Breaker, rate: tuple[float | None, float]
) -> None:
    """Of slots, of turns and of a probe: both get some if there are two, and one is for who waits.

    What is kept is there when the claim is done, whatever newcomers took.
    """
    one = Pressure(in_flight, cap, free, breaker, *rate, newcomer_at=NOW - 9)
    whole = room(one, NOW)
    share = to_keep(one, NOW)
    left = room(replace(one, kept=share), NOW)
    assert share + left == whole
    assert share - left in (0, 1)
    for _ in range(left):
        one = admit(one)
    assert room(one, NOW) >= share - 1e-9


def test_where_nobody_comes_all_of_the_room_is_for_who_waits() -> None:
    """A claim from a database that is far away takes as many rows as can be sent."""
    quiet = Pressure(0, 32, 400, CLOSED, newcomer_at=NOW - 11)
    assert to_keep(quiet, NOW) == room(quiet, NOW) == 32
    assert to_keep(replace(quiet, kept=32), NOW) == 0
