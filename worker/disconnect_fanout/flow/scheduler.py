"""The scheduler: claims what can be sent now, for the platforms that can take it.

It wakes when a slot comes free for which rows are known to wait, when time makes room (a breaker's
probe, a rate), when a platform that was down answers again, and twice a second for whatever came
due. It sleeps on an event, never on hope.
"""

import asyncio
from collections.abc import Callable, Collection

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import LeasedDelivery
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.deliver import Deliverer
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.due import Claim, DueStore
from disconnect_fanout.flow.fact import (
    ClaimInterrupted,
    DeadLetterDecided,
    Observe,
)
from disconnect_fanout.flow.outage import DataRefused, StoreUnreachable
from disconnect_fanout.flow.recorder import Recorded, Recorder
from disconnect_fanout.flow.recoveries import Recoveries
from disconnect_fanout.flow.resolver import Admitted
from disconnect_fanout.flow.supervision.held_tasks import HeldTasks
from disconnect_fanout.flow.supervision.stumbles import Stumbles
from disconnect_fanout.flow.wakeups import Wakeups
from disconnect_fanout.policy.change import GivenBack, GivenUp
from disconnect_fanout.policy.decide import DeadLettered, RetryPolicy, Send, before_attempt
from disconnect_fanout.policy.lease import REPORT_FIRST_S, lease_s

POLL_S = 0.5
_AT_ONCE = 4
"""Claims side by side: as many as leave connections of the pool to events."""


class Scheduler:
    """Sends what is due."""

    def __init__(
        self,
        *,
        store: DueStore,
        directory: Directory,
        bulkheads: Bulkheads,
        recoveries: Recoveries,
        deliverer: Deliverer,
        recorder: Recorder,
        office: DeadLetterOffice,
        policy: RetryPolicy,
        sending: HeldTasks,
        clock: Callable[[], float],
        outages: Callable[[], int],
        wakeups: Wakeups,
        observe: Observe,
    ) -> None:
        self._store = store
        self._directory = directory
        self._bulkheads = bulkheads
        self._recoveries = recoveries
        self._deliverer = deliverer
        self._recorder = recorder
        self._office = office
        self._policy = policy
        self._sending = sending
        self._clock = clock
        self._outages = outages
        self._seen_outages = outages()
        self._observe = observe
        self.stumbles = Stumbles("scheduler", observe)
        self._wakeups = wakeups
        self._held: set[str] = set()
        self._reclaim_at = 0.0
        self._stopping = False
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Turn until stopped."""
        self._ended.clear()
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        while not self._stopping:
            self._wakeups.attend()
            pause_s = POLL_S
            try:
                pause_s = await self._turn()
                self.stumbles.went_well()
            except (StoreUnreachable, DataRefused) as error:
                pause_s = self.stumbles.stumbled(error)
            if not self._stopping:
                await self._wakeups.sleep(pause_s)

    async def stop(self) -> None:
        """Claim nothing more; return when what was claimed is being sent or was given back."""
        self._stopping = True
        self._wakeups.wake()
        await self._ended.wait()

    async def _turn(self) -> float:
        """Claim and send once over all platforms; return how long to rest."""
        self._welcome_back()
        able = {one.id for one in self._directory.platforms.values() if self._can_take(one)}
        due = set(await self._store.due_platforms(able))
        self._wakeups.waiting -= able - due
        rests = [POLL_S, *await self._serve_all(due)]
        rests += [
            self._until_room(platform)
            for platform in self._directory.platforms.values()
            if platform.id not in due and platform.id in self._wakeups.waiting
        ]
        recovering = (
            set(self._recoveries.ready()) - self._wakeups.waiting
        )  # first what is due already
        known = [one for one in self._directory.platforms.values() if one.id in recovering]
        rests += [await self._expedite(platform) for platform in known]
        return min(rests)

    def _welcome_back(self) -> None:
        """An operator who resumes or enables a platform says that it is back."""
        platforms = self._directory.platforms.values()
        held = {one.id for one in platforms if one.paused or not one.enabled}
        for platform_id in (self._held - held) & self._directory.platforms.keys():
            self._recoveries.invite(platform_id)
        self._held = held

    async def _serve_all(self, due: Collection[str]) -> list[float]:
        """Serve platforms side by side: each waits for a database that may be far away."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def served(platform: Platform) -> float:
            async with places:
                return POLL_S if self._stopping else await self._serve(platform)

        platforms = [one for one in self._directory.platforms.values() if one.id in due]
        rests: list[float] = []
        for end in await asyncio.gather(*map(served, platforms), return_exceptions=True):
            if isinstance(end, BaseException):
                raise end
            rests.append(end)
        return rests

    async def _serve(self, platform: Platform) -> float:
        """Send what one platform can take; return how long until it can take more."""
        await self._recorder.drain()  # our own outcomes first, then other rows
        share = self._bulkheads.share(platform)
        if share < 1:  # taken by events while we looked
            self._wakeups.refused(platform.id)
            return self._until_room(platform)
        self._wakeups.waiting.discard(
            platform.id
        )  # who is refused from now on may not be claimed yet
        with self._bulkheads.keeping(platform.id, share):
            claims = await self._store.claim(
                platform.id,
                limit=share,
                lease_s=lease_s(platform.timeout_s),
                holding=self._deliverer.in_hand,
                reclaim=self._may_reclaim(),
            )
        for claim in claims:
            self._send(claim, platform)
        if len(claims) < share:
            return POLL_S
        self._wakeups.refused(platform.id)
        return self._until_room(platform)

    def _may_reclaim(self) -> bool:
        """Tell whether leases that expired may be taken: not soon after an outage.

        It may have been met by anybody in this process, also while we waited for our own outcomes.
        """
        if (outages := self._outages()) != self._seen_outages:
            self._seen_outages = outages
            self._reclaim_at = self._clock() + REPORT_FIRST_S
        return self._clock() >= self._reclaim_at

    async def _expedite(self, platform: Platform) -> float:
        """Make waiting rows of a recovering platform due; return how long to rest."""
        room = self._bulkheads.room(platform) if platform.enabled else 0
        asked = min(self._recoveries.allowance(platform.id), room)
        if asked < 1:
            return self._until_room(platform)
        done = await self._store.expedite(platform.id, asked)
        self._recoveries.expedited(platform.id, asked, done)
        return 0.0 if done.count else POLL_S

    def _until_room(self, platform: Platform) -> float:
        """Return the seconds until time alone makes room for a platform whose rows wait."""
        if self._can_take(platform):
            return 0.0
        return self._bulkheads.opens_in(platform) or POLL_S

    def _send(self, claim: Claim, platform: Platform) -> None:
        delivery = claim.delivery
        if claim.interrupted:
            self._observe(ClaimInterrupted(delivery.id, platform.id))
        match before_attempt(delivery.progress, self._policy):
            case DeadLettered(reason=reason):
                self._sending.start(self._give_up(claim, reason))
            case Send():
                self._attempt(delivery, platform)

    def _attempt(self, delivery: LeasedDelivery, platform: Platform) -> None:
        ticket = None if self._stopping else self._bulkheads.admit(platform, waited=True)
        if ticket is None:  # an event took the slot while we claimed, or it is time to leave
            self._recorder.record(GivenBack(delivery.id, delivery.lease))
            return
        self._sending.start(self._deliverer.deliver(Admitted(delivery, platform, ticket)))

    async def _give_up(self, claim: Claim, reason: DeadReason) -> None:
        delivery = claim.delivery
        recorded = await self._recorder.record(GivenUp(delivery.id, delivery.lease, reason))
        if recorded is Recorded.APPLIED and not delivery.progress.delivered:
            self._observe(DeadLetterDecided(delivery.id, delivery.platform_id, reason))
            self._office.post(delivery.id)

    def _can_take(self, platform: Platform) -> bool:
        return platform.enabled and self._bulkheads.room(platform) > 0
