"""The judge: compares, once all is at rest, what was published, sent, recorded and lettered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tests.harness.fakes.queues import letter_key
from tests.simulation.repeats import Excuses, repeats
from tests.simulation.requests import Request
from tests.simulation.scenario import Deed, DeedPlan, Manner
from tests.simulation.world import World

from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.flow.letters import LetterKey
from disconnect_fanout.policy.decide import Delivered, RetryIn
from disconnect_fanout.policy.delivery_row import DeliveryRow

Requests = Mapping[str, Sequence[Request]]


def judge(world: World) -> None:
    """Object to everything that should not be."""
    requests: dict[str, list[Request]] = defaultdict(list)
    for one in world.platforms.requests:
        requests[one.delivery_id].append(one)
    _nobody_is_forgotten(world)
    for row in world.tables.rows():
        _ended_once(world, row, requests[row.id])
        _attempts_are_requests(world, row, requests[row.id])
    _letters_are_dead_rows(world)
    excuses = Excuses(world.slots, world.fates.database_crashes)
    for name, made in requests.items():
        _said_once(world, excuses, name, made)
        _numbered(world, excuses, name, made)
        _waits_as_asked(world, excuses, name, made)
    if world.scenario.calm:
        _nothing_odd(world)
        _nobody_is_too_old(world, requests)
        _healthy_ones_are_quick(world, requests)


def _nobody_is_forgotten(world: World) -> None:
    """I2, I9: every accepted event has a row for each linked platform, and for no other."""
    for plan in world.scenario.events:
        if plan.malformed:
            continue
        event = world.tables.events.get(plan.id)
        if event is None:
            rejected = [one for one in world.broker.rejected.ready if one.message_id == plan.id]
            if not any(one.returns for one in rejected):
                world.witness.object("I2", f"{plan.id}: nobody knows of it")
            continue
        platforms = world.scenario.platforms
        linked = plan.platform_ids or [platforms[one].id for one in world.scenario.links[plan.user]]
        expected = {delivery_id(plan.id, one) for one in linked}
        there = {row.id for row in world.tables.deliveries.values() if row.event_id == plan.id}
        if there != expected or event.recipients != len(there):
            missing = sorted(world.witness.named(one) for one in expected ^ there)
            world.witness.object("I2", f"{plan.id}: {', '.join(missing)} missing or too many")


def _ended_once(world: World, row: DeliveryRow, made: Sequence[Request]) -> None:
    """I1, I2: told or dead, and the row says which."""
    name = world.witness.named(row.id)
    recorded = any(one.recorded_at is not None and one.verdict == Delivered() for one in made)
    if row.state == "delivered" and not recorded:
        world.witness.object("I2", f"{name}: delivered, and the platform was never told")
    if row.state != "delivered" and recorded:
        world.witness.object("I1", f"{name}: {row.state}, and the platform was told")
    if row.state == "discarded" and not _did(world, Deed.DISCARD):
        world.witness.object("I2", f"{name}: discarded by nobody")
    if row.state == "pending":
        world.witness.object("I7", f"{name}: pending at rest")


def _attempts_are_requests(world: World, row: DeliveryRow, made: Sequence[Request]) -> None:
    """I10: what was received is recorded, but for what a crash cut; that is explicit."""
    name = world.witness.named(row.id)
    attempts = {
        number: one for (id_, number), one in world.tables.attempts.items() if id_ == row.id
    }
    numbers = {one.number for one in made}
    for number, attempt in attempts.items():
        if attempt.result != "interrupted" and number not in numbers:
            world.witness.object("I10", f"{name}: attempt {number} was never received")
        if attempt.result == "interrupted" and world.scenario.calm:
            world.witness.object("I3", f"{name}: attempt {number} was cut off by nothing")
    for one in made:
        cut = any(one.by in slot.ends for slot in world.slots) or world.fates.database_crashes
        if one.number not in attempts and not cut:
            world.witness.object("I10", f"{name}: request {one.number} is in no history")
    if len(attempts) != row.attempts and not world.fates.database_crashes:
        words = f"{name}: counts {row.attempts} attempts, and has {sorted(attempts)}"
        world.witness.object("I10", words)


def _letters_are_dead_rows(world: World) -> None:
    """I7: one letter for each open dead letter, of its last round.

    Once an outsider has purged the queue only their number is promised: a letter that is missing
    and a stale one weigh each other up, and the sweeper looks at what it weighs (0012).
    """
    if _did(world, Deed.PURGE):
        return
    letters = sorted(map(str, map(letter_key, world.broker.dead.ready)))
    dead = [row for row in world.tables.rows() if row.state == "dead"]
    if letters != sorted(str(LetterKey(row.id, row.replays)) for row in dead):
        world.witness.object("I7", f"{len(letters)} letters do not match {len(dead)} dead rows")


def _said_once(world: World, excuses: Excuses, name: str, made: Sequence[Request]) -> None:
    """I3, I8: nothing is said twice without an excuse, and if so in the same words."""
    for first, again in repeats(made):
        if not excuses.excuse(first, again):
            words = f"attempt {first.number} by {first.by} at {first.at:.4f} was repeated"
            world.witness.object(
                "I3",
                f"{world.witness.named(name)}: {words} by {again.by} at {again.at:.4f} "
                f"as attempt {again.number}, and nothing excuses it",
            )
            break
    if len({one.body for one in made}) > 1 and not _conflicts(world, name):
        world.witness.object("I3", f"{world.witness.named(name)}: two bodies under one id")


def _numbered(world: World, excuses: Excuses, name: str, made: Sequence[Request]) -> None:
    """I5: numbers never fall, and a round has as many attempts as its schedule allows."""
    for index, later in enumerate(made):
        for earlier in made[:index]:
            if later.number <= earlier.number and not excuses.excuse(earlier, later):
                world.witness.object(
                    "I5", f"{world.witness.named(name)}: {later.number} after {earlier.number}"
                )
                return
    retries: dict[int, int] = defaultdict(int)
    for one in made:
        retries[one.round] += isinstance(one.verdict, RetryIn)
    most = len(world.scenario.policy.schedule)
    if world.scenario.calm and max(retries.values(), default=0) > most:
        world.witness.object("I5", f"{world.witness.named(name)}: more than {most} retries")


def _waits_as_asked(world: World, excuses: Excuses, name: str, made: Sequence[Request]) -> None:
    """I5: nothing undercuts a Retry-After."""
    for first, again in pairwise(made):
        if not isinstance(first.verdict, RetryIn) or again.round > first.round:
            continue
        asked, waited = first.verdict.at_least_s, again.at - (first.recorded_at or 0.0)
        if 0 < asked > waited + 0.01 and not excuses.excuse(first, again):
            named = world.witness.named(name)
            world.witness.object("I5", f"{named}: {waited:.3f} s of a Retry-After of {asked} s")


def _nothing_odd(world: World) -> None:
    """I1 without a fault: only what is no event, or another one, is rejected."""
    for one in world.broker.rejected.ready:
        reason = one.headers.get("fanout-reason")
        if reason not in {"malformed", "id_conflict"}:
            world.witness.object("I1", f"{one.message_id}: rejected for {reason}")


def _nobody_is_too_old(world: World, requests: Requests) -> None:
    """I5: after its patience a delivery is tried no more, but for the first time."""
    patience_s = world.scenario.policy.max_age_s + 1.0
    for row in world.tables.rows():
        made = [one for one in requests.get(row.id, ()) if one.round == 0]
        if any(one.at - made[0].at > patience_s for one in made[1:]):
            name = world.witness.named(row.id)
            world.witness.object("I5", f"{name}: was tried after more than {patience_s} s")


def _healthy_ones_are_quick(world: World, requests: Requests) -> None:
    """I6: whatever the others do, a steady platform hears of an event within a bound."""
    scenario = world.scenario
    if scenario.deeds:
        return
    within_s = 3.0 + 1.3 * len(scenario.events) / scenario.prefetch
    for plan in scenario.platforms:
        steady = plan.manner is Manner.STEADY and plan.enabled
        if not steady or plan.rate_per_s or plan.max_in_flight:
            continue
        for event_id, at in world.published.items():
            made = requests.get(delivery_id(event_id, plan.id))
            if made and made[0].at - at > within_s:
                waited = made[0].at - at
                world.witness.object("I6", f"{event_id}→{plan.id}: waited {waited:.1f} s")


def _conflicts(world: World, name: str) -> bool:
    """Tell whether upstream published another event under the same id.

    The first that was accepted counts; lost in a crash of the database, it may be the other one.
    """
    reasons = defaultdict[str, set[str]](set)
    for plan in world.scenario.events:
        reasons[plan.id].add(plan.reason)
    return any(len(some) > 1 and world.witness.named(name).startswith(f"{one}→")
               for one, some in reasons.items())  # fmt: skip


def _did(world: World, deed: Deed) -> bool:
    deeds = (*world.scenario.deeds, *world.scenario.second_act)
    return any(isinstance(one, DeedPlan) and one.deed is deed for one in deeds)
