"""Who is told, ended and found: one mailbox in all its spellings, and nobody else.

The stores find links and events by hashes, and the fake by comparing: the rule is one.
"""

from datetime import datetime, timedelta

from tests.contract.test_managed_links import AFTER, BEFORE, connect, stored, worker
from tests.harness.store.examples import DISCONNECTED_AT, event, link
from tests.harness.store.world import World

from disconnect_fanout.domain.event import DisconnectEvent, User
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.flow.links.keeper import Linked
from disconnect_fanout.policy.plan import plan

SAME = (
    ("User7@Example.Com", "user7@example.com"),
    ("x@b\u00fccher.example", "x@xn--bcher-kva.example"),
    ("jos\u00e9@x.example", "JOSE\u0301@x.example"),
    ("x@example.com", "X@Example\u3002Com."),
    ("x@\u2615.example", "x@XN--53H.example"),
)
APART = (
    ("stra\u00dfe@x.example", "strasse@x.example"),
    ("x@wei\u00df.example", "x@weiss.example"),
    ("o\ufb03ce@x.example", "office@x.example"),
    ("\u212aate@x.example", "kate@x.example"),
    ("\u017fam@x.example", "sam@x.example"),
    ("\u0130lke@x.example", "i\u0307lke@x.example"),
    ("\u03c3\u03bf\u03c6\u03cc\u03c2@x.example", "\u03c3\u03bf\u03c6\u03cc\u03c3@x.example"),
)


def nameless(email: str) -> DisconnectEvent:
    """An event of a user without a Google id."""
    return event(email=email, google_id=None)


async def told(world: World, email: str) -> set[str]:
    """Which platforms a disconnect of this address tells."""
    one = nameless(email)
    (found,) = await world.worker.events.links([one])
    return {who.platform_id for who in plan(one, found, {}, timedelta(seconds=2))}


async def test_a_link_is_found_by_every_spelling(world: World) -> None:
    """Whoever wrote which of them."""
    for nth, (one, other) in enumerate(SAME):
        await world.add_links(link(mailbox(one), f"p{nth}"))
        assert await told(world, one) == await told(world, other) == {f"p{nth}"}


async def test_a_namesakes_platform_is_not_told(world: World) -> None:
    """Two people whose addresses full case folding makes one have a platform each."""
    for one, other in APART:
        await world.add_links(link(mailbox(one), "luma"), link(mailbox(other), "cal"))
        assert (await told(world, one), await told(world, other)) == ({"luma"}, {"cal"})


async def test_several_users_of_one_batch_are_kept_apart(world: World) -> None:
    """Their look-ups are one query, and each has their own answer."""
    people = [name for pair in (*APART, *SAME) for name in pair]
    await world.add_links(*(link(mailbox(one), f"p{nth}") for nth, one in enumerate(people)))
    found = await world.worker.events.links([nameless(one) for one in people])
    for nth, links in enumerate(found):
        same = {f"p{at}" for at, one in enumerate(people) if mailbox(one) == mailbox(people[nth])}
        assert {one.platform_id for one in links} == same


async def ends(world: World, email: str) -> list[datetime | None]:
    """When the links of a user end."""
    return [one.unlinked_at for one in await stored(world, User(email, None))]


async def test_one_persons_disconnect_leaves_anothers_link(world: World) -> None:
    """In the managed directory; so the other's own disconnect is told of theirs."""
    at_work = await worker(world)
    for one, other in (*APART, *((f"b.{other}", f"b.{one}") for one, other in APART)):
        for email in (one, other):
            await at_work.links.learn(connect(f"c_{email}", user=User(email, None)))
        await at_work.disconnect(nameless(one))
        assert await ends(world, one) == [DISCONNECTED_AT]
        assert await ends(world, other) == [None]
        assert await told(world, other) == {"luma"}


async def test_a_disconnect_ends_what_a_connect_began_in_another_spelling(world: World) -> None:
    """Whichever of the two is learnt first."""
    at_work = await worker(world)
    for one, other in SAME:
        await at_work.links.learn(connect(f"c_{one}", user=User(one, None)))
        await at_work.disconnect(nameless(other))
        assert await ends(world, one) == [DISCONNECTED_AT]
        late = BEFORE - timedelta(minutes=1)
        await at_work.links.learn(connect(f"late_{one}", at=late, user=User(other, None)))
        assert await ends(world, one) == [DISCONNECTED_AT] * 2


async def test_an_earlier_disconnect_of_a_namesake_is_nobody_elses(world: World) -> None:
    """A connect that comes late finds the recorded disconnects of its own user alone."""
    at_work = await worker(world)
    for one, other in APART:
        await at_work.overlook(nameless(one))
        learnt = await at_work.links.learn(connect(f"c_{other}", user=User(other, None)))
        assert learnt == Linked(recipients=0)
        assert await ends(world, other) == [None]
        learnt = await at_work.links.learn(connect(f"c_{one}", user=User(one, None)))
        assert learnt == Linked(recipients=1)


async def test_a_connect_that_is_there_in_another_spelling_is_one_link(world: World) -> None:
    """The very same connection, learnt from two events, is written once."""
    at_work = await worker(world)
    for one, other in SAME:
        for email in (one, other):
            await at_work.links.learn(connect(f"c_{email}", at=AFTER, user=User(email, None)))
        assert await ends(world, one) == [None]
