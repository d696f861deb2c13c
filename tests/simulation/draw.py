"""What a seed means: its world, drawn before anything runs."""

from dataclasses import replace
from random import Random

from tests.simulation.scenario import (
    ACTS_END_S,
    Deed,
    DeedPlan,
    EventPlan,
    FaultPlan,
    Manner,
    PlatformPlan,
    Scenario,
    Trouble,
)

from disconnect_fanout.policy.decide import RetryPolicy

MOMENTS = ("register", "arrive", "commit", "ack", "letter", "claim", "advance", "purge", "read")
_RANDOM_MANNERS = [Manner.STEADY, *Manner]
_SCHEDULES = ((), (1.0,), (0.5, 2.0), (1.0, 2.0, 4.0))


def draw(seed: int) -> Scenario:
    """Return the world of a seed."""
    chance = Random(f"scenario {seed}")  # noqa: S311 - chance that can be repeated
    calm = chance.random() < 0.3
    workers = chance.choice((1, 2, 2, 3))
    platforms = tuple(_platform(chance, number) for number in range(chance.randint(1, 4)))
    users = chance.randint(1, 3)
    indices = range(len(platforms))
    links = tuple(
        tuple(one for one in indices if chance.random() < 0.8) or (0,) for _ in range(users)
    )
    return Scenario(
        seed=seed,
        calm=calm,
        workers=workers,
        platforms=platforms,
        links=links,
        events=_events(chance, users, platforms),
        faults=() if calm else tuple(_fault(chance, workers) for _ in range(chance.randint(1, 4))),
        deeds=_deeds(chance, workers, len(platforms), calm=calm),
        second_act=_second_act(chance, workers, len(platforms), calm=calm),
        policy=RetryPolicy(chance.choice(_SCHEDULES), chance.choice((10.0, 60.0, 3600.0))),
        slots=chance.randint(4, 12),
        cap=chance.randint(2, 6),
        prefetch=chance.randint(1, 8),
        window=chance.randint(1, 4),
    )


def among_hung(seed: int) -> Scenario:
    """Return a faultless world in which all platforms hang but for the first, which is well.

    Of twelve slots three that hang could take all: only the rule of admission leaves some.
    """
    chance = Random(f"hung {seed}")  # noqa: S311 - as above
    well = PlatformPlan("p0", Manner.STEADY, 1, 2.0, None, None, enabled=True)
    hung = [
        PlatformPlan(f"p{n}", Manner.HANGS, 1, 30.0, None, None, enabled=True) for n in (1, 2, 3)
    ]
    events = tuple(EventPlan(chance.uniform(0.0, 3.0), f"evt_{n}", 0) for n in range(8))
    return replace(
        draw(seed),
        calm=True,
        workers=1,
        platforms=(well, *hung),
        links=((0, 1, 2, 3),),
        events=events,
        faults=(),
        deeds=(),
        second_act=(),
        policy=RetryPolicy((), 3600.0),
        slots=12,
        cap=12,
        prefetch=8,
    )


def _platform(chance: Random, number: int) -> PlatformPlan:
    return PlatformPlan(
        id=f"p{number}",
        manner=chance.choice(_RANDOM_MANNERS),
        count=chance.randint(1, 3),
        timeout_s=chance.choice((1.0, 2.0, 3.0)),
        max_in_flight=chance.choice((None, None, 1, 3)),
        rate_per_s=chance.choice((None, None, None, 2.0)),
        enabled=chance.random() < 0.95,
    )


def _events(
    chance: Random, users: int, platforms: tuple[PlatformPlan, ...]
) -> tuple[EventPlan, ...]:
    plans: list[EventPlan] = []
    for number in range(chance.randint(1, 5)):
        explicit: tuple[str, ...] = ()
        if chance.random() < 0.1:
            explicit = (chance.choice(platforms).id, "p9")
        at, user = chance.uniform(0.0, 4.0), chance.randrange(users)
        first = EventPlan(at, f"evt_{number}", user, platform_ids=explicit)
        plans.append(first)
        while chance.random() < 0.3:  # upstream publishes it once more
            again = at + chance.choice((0.0, 0.0, chance.uniform(0.0, 3.0)))
            plans.append(EventPlan(again, first.id, user, platform_ids=explicit))
        if chance.random() < 0.07:
            plans.append(EventPlan(at, first.id, user, "revoked", explicit))
        if chance.random() < 0.05:
            plans.append(EventPlan(at, f"bad_{number}", user, malformed=True))
    return tuple(plans)


def _fault(chance: Random, workers: int) -> FaultPlan:
    trouble = chance.choice((Trouble.CRASH, Trouble.CRASH, *Trouble))
    step = moment = None
    if trouble in {Trouble.CRASH, Trouble.FREEZE, Trouble.DATABASE_CRASH}:
        when = chance.random()
        if when < 0.4:
            moment = (chance.choice(MOMENTS), int(2 ** chance.uniform(0, 4)))
        elif when < 0.8:
            step = int(2 ** chance.uniform(3, 10))
    lasts = chance.choice((0.3, 2.0, 6.0))
    if trouble in {Trouble.FREEZE, Trouble.DATABASE_CUT_OFF}:
        lasts = chance.choice((1.0, 5.0, 25.0))
    return FaultPlan(
        trouble=trouble,
        worker=chance.randrange(workers),
        at=chance.uniform(0.0, 8.0),
        lasts_s=lasts,
        step=step,
        moment=moment,
        share=chance.choice((0.1, 0.4)),
    )


def _deed(chance: Random, at: float, workers: int, platforms: int, *kinds: Deed) -> DeedPlan:
    return DeedPlan(
        at=at,
        deed=chance.choice(kinds),
        platform=chance.randrange(platforms),
        worker=chance.randrange(workers),
        rate_per_s=chance.choice((None, 1.0, 5.0)),
    )


def _deeds(chance: Random, workers: int, platforms: int, *, calm: bool) -> tuple[DeedPlan, ...]:
    kinds = [one for one in Deed if not (calm and one is Deed.PURGE)]
    count = chance.choice((0, 0, 1, 2, 4))
    times = sorted(chance.uniform(1.0, ACTS_END_S) for _ in range(count))
    return tuple(_deed(chance, at, workers, platforms, *kinds) for at in times)


def _second_act(
    chance: Random, workers: int, platforms: int, *, calm: bool
) -> tuple[DeedPlan | FaultPlan, ...]:
    if chance.random() < 0.6:
        return ()
    replay = _deed(chance, 0.0, workers, platforms, Deed.REPLAY_DEAD, Deed.REPLAY_ALL)
    if calm:
        return (replay,)
    return replay, _fault(chance, workers)
