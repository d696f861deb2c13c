"""A world: it is set up, things happen and go wrong in it, it heals and comes to rest."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from random import Random

from tests.harness.fakes.broker import FakeBroker, Stored
from tests.harness.store.world import LONG_AGO
from tests.harness.worker.disconnect import body, disconnect
from tests.simulation.fate import Fates
from tests.simulation.operator import Operator
from tests.simulation.requests import Platforms
from tests.simulation.scenario import ACTS_END_S, DeedPlan, EventPlan, FaultPlan, Scenario
from tests.simulation.slot import Slot
from tests.simulation.tables import SimulatedTables
from tests.simulation.trace import Trace
from tests.simulation.witness import Witness
from tests.simulation.worker import Mutation, Surroundings

from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform, Scheme, SigningKey

REST_WITHIN_S = 3000.0
"""A platform that hangs is probed twice a minute, for each attempt of each delivery."""
_LOOK_EVERY_S = 0.5
_SETTLED_LOOKS = 3


class World:
    """One run of one scenario."""

    def __init__(self, scenario: Scenario, mutation: Mutation) -> None:
        loop = asyncio.get_running_loop()
        chance = Random(f"run {scenario.seed}")  # noqa: S311 - as in scenario
        self.scenario = scenario
        self.trace = Trace(loop.time)
        self.tables = SimulatedTables(new_token=lambda: f"{chance.getrandbits(64):016x}")
        self.broker = FakeBroker()
        self.platforms = Platforms(scenario.platforms, chance)
        self.witness = Witness(self.trace, self.tables, self.broker, loop.time)
        around = Surroundings(
            scenario,
            mutation,
            chance,
            self.tables,
            self.broker,
            self.platforms,
            self.witness,
            self.trace,
        )
        self.published: dict[str, float] = {}
        """When each event was published first, by id."""
        self.slots = [Slot(around, number, self._strike) for number in range(scenario.workers)]
        self.fates = Fates(around, self.slots)
        self.operator = Operator(around, self.slots)

    async def live(self) -> None:
        """Run from the first start to the last rest."""
        self._set_up()
        for slot in self.slots:
            slot.start()
        self._expect(self.scenario.faults)
        todo: list[EventPlan | DeedPlan] = [*self.scenario.events, *self.scenario.deeds]
        for one in sorted(todo, key=lambda one: one.at):
            await self._until(one.at)
            await self._do(one)
        await self._until(ACTS_END_S)
        await self._come_to_rest("first")
        if self.scenario.second_act:
            faults = [one for one in self.scenario.second_act if isinstance(one, FaultPlan)]
            start = asyncio.get_running_loop().time()
            self._expect(replace(one, at=one.at + start) for one in faults)
            for deed in self.scenario.second_act:
                if isinstance(deed, DeedPlan):
                    await self._do(deed)
            await self._until(start + ACTS_END_S)
            await self._come_to_rest("second")

    def bury(self) -> None:
        """Let everybody come to the end."""
        for slot in self.slots:
            for process in slot.processes:
                process.bury()

    def _set_up(self) -> None:
        for plan in self.scenario.platforms:
            self.tables.platforms[plan.id] = Platform(
                id=plan.id,
                name=plan.id,
                url=f"https://{plan.id}.example/hook",
                scheme=Scheme.STANDARD,
                keys=(SigningKey(bytes, bytes),),
                revision=1,
                timeout_s=plan.timeout_s,
                max_in_flight=plan.max_in_flight,
                rate_per_s=plan.rate_per_s,
                enabled=plan.enabled,
            )
        for user, linked in enumerate(self.scenario.links):
            for index in linked:
                platform = self.scenario.platforms[index]
                self.tables.links.append(Link(address(user), platform.id, LONG_AGO))
        for event in self.scenario.events:
            for name in (*(one.id for one in self.scenario.platforms), *event.platform_ids):
                self.witness.name(event.id, name)

    def _expect(self, faults: Iterable[FaultPlan]) -> None:
        for fault in faults:
            if fault.step is None and fault.moment is None:
                asyncio.get_running_loop().call_at(fault.at, self._strike, fault)
            else:
                self.slots[fault.worker].arm(fault)

    def _strike(self, fault: FaultPlan) -> None:
        self.fates.strike(fault)

    async def _do(self, one: EventPlan | DeedPlan) -> None:
        if isinstance(one, DeedPlan):
            await self.operator.do(one)
        else:
            self._publish(one)

    def _publish(self, plan: EventPlan) -> None:
        """Upstream publishes with confirm; its own troubles are not ours."""
        self.trace.say("upstream", f"publishes {plan.id}")
        event = disconnect(plan.id, address(plan.user), reason=plan.reason)
        if plan.platform_ids:
            event["platform_ids"] = list(plan.platform_ids)
        content = b"{" if plan.malformed else body(event)
        self.broker.put(self.broker.events, Stored(content, message_id=plan.id))
        if not plan.malformed:
            self.published.setdefault(plan.id, asyncio.get_running_loop().time())

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(at - asyncio.get_running_loop().time(), 0.0))

    async def _come_to_rest(self, which: str) -> None:
        self.trace.say("world", "heals")
        self.fates.heal()
        await self.operator.leave_nothing_held()
        for slot in self.slots:
            slot.start()
        deadline = asyncio.get_running_loop().time() + REST_WITHIN_S
        settled = 0
        while settled < _SETTLED_LOOKS:
            await asyncio.sleep(_LOOK_EVERY_S)
            self._balance()
            unrest = self.unrest()
            settled = 0 if unrest else settled + 1
            if asyncio.get_running_loop().time() > deadline:
                self.witness.object("I7", f"no {which} rest: {', '.join(unrest)}")
                return
        self.trace.say("world", "is at rest")

    def unrest(self) -> list[str]:
        """Return what keeps the world from being at rest (I7)."""
        rows = self.tables.deliveries.values()
        dead = sum(row.state == "dead" for row in rows)
        jobs = self.tables.jobs.values()
        found = {
            "events wait": len(self.broker.events.ready),
            "events are held": self.broker.events.held,
            "rows are under way": sum(row.under_way for row in rows),
            "rows are leased": sum(row.lease is not None for row in rows),
            "rows are decided": sum(row.decided for row in rows),
            "letters too many or too few": len(self.broker.dead.ready) - dead,
            "letters are held": self.broker.dead.held,
            "jobs are at work": sum(one.state == "running" for one in jobs),
            "items are released": sum("released" in one.items.values() for one in jobs),
        }
        return [f"{count} {what}" for what, count in found.items() if count]

    def _balance(self) -> None:
        """I9 at any time: as many deliveries as recipients were resolved."""
        resolved = sum(one.recipients for one in self.tables.events.values())
        if resolved != len(self.tables.deliveries):
            there = len(self.tables.deliveries)
            self.witness.object("I9", f"{resolved} were resolved, {there} are there")


def address(user: int) -> str:
    """Return a user's."""
    return f"u{user}@example.com"
