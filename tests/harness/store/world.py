"""One installation's store as a contract test sees it: the ports, and a back door to set it up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from disconnect_fanout.app.balance_monitor import BalanceSource
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.replay import ReplayProgress
from disconnect_fanout.flow.directory import PlatformSource
from disconnect_fanout.flow.due import DueStore
from disconnect_fanout.flow.housekeeping import PeriodicJob
from disconnect_fanout.flow.letters import DeadLetterStore
from disconnect_fanout.flow.links.store import LinkStore
from disconnect_fanout.flow.recorder import Ledger
from disconnect_fanout.flow.replayer import ReplayStore
from disconnect_fanout.flow.resolver import EventStore
from disconnect_fanout.policy.delivery_row import DeliveryRow

LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00Z")


class Jobs(Protocol):
    """Replays as the command sees them."""

    async def create(
        self,
        selection: Sequence[str],
        *,
        rate_per_s: float | None = None,
        reconnected: int = 0,
        again: bool = False,
        include_reconnected: bool = False,
    ) -> str: ...

    async def progress(self, job: str) -> ReplayProgress | None: ...

    async def all(self, limit: int) -> list[ReplayProgress]: ...

    async def pause(self, job: str) -> None: ...

    async def resume(self, job: str) -> None: ...

    async def cancel(self, job: str) -> None: ...


class Duties(Protocol):
    """Duties that one process at a time has."""

    async def hold(self, name: str, holder: str, for_s: float) -> bool: ...


@dataclass(frozen=True)
class Ports:
    """What one worker is given."""

    events: EventStore
    links: LinkStore
    ledger: Ledger
    due: DueStore
    platforms: PlatformSource
    letters: DeadLetterStore
    replays: ReplayStore
    jobs: Jobs
    leader_lease: Duties
    balance: BalanceSource
    retention: Callable[[float], PeriodicJob]


class World(Protocol):
    """The store behind the ports."""

    @property
    def worker(self) -> Ports:
        """The first worker's ports."""
        ...

    async def another_worker(self) -> Ports:
        """Return ports of another worker on the same store."""
        ...

    async def add_platform(
        self, platform_id: str, *, enabled: bool = True, timeout_s: float | None = None
    ) -> None:
        """Register a platform, revision 1."""
        ...

    async def add_links(self, *links: Link) -> None:
        """Store links."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Let everything stored be so much older."""
        ...

    async def row(self, delivery_id: str) -> DeliveryRow:
        """Return a delivery as it reads now."""
        ...

    async def timeline(self, delivery_id: str) -> Sequence[Attempt]:
        """Return its attempts."""
        ...

    async def copies(self, event_id: str) -> int:
        """Return how often an event arrived again."""
        ...

    async def near_misses(self, event_id: str) -> int:
        """Return how many platforms an event misses because of a Google id alone."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
