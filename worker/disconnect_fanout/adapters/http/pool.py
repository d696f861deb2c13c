"""The kept connections, each platform's own: none can speak for another.

Two platforms behind one host and port are two customers of one gateway, and what the gateway says
to one on a kept connection is not the other's business.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from disconnect_fanout.adapters.http.connection import PlatformConnection
from disconnect_fanout.adapters.http.target import Target, target_of
from disconnect_fanout.adapters.http.trust import Trust
from disconnect_fanout.flow.webhook import WebhookRequest

LIFETIME_S = 120.0
"""A platform that moved by DNS is found at its new address after that, however busy it is."""
IDLE_S = 30.0
SWEEP_S = 1.0


@dataclass(slots=True)
class Pool:
    """One platform's connections without a request, the last used at the end.

    Attributes:
        retired: nobody looks here any more.
    """

    target: Target = field(repr=False)
    context: ssl.SSLContext = field(repr=False)
    used_at: float = 0.0
    retired: bool = False
    idle: list[tuple[PlatformConnection, float]] = field(default_factory=list)

    def take(self, now: float, for_s: float) -> PlatformConnection | None:
        """Return a connection that is silent, and young enough to live for so long; None if none.

        The others are ended on the way.
        """
        self.used_at = now
        while self.idle:
            connection, _ = self.idle.pop()
            if now + for_s <= connection.made_at + LIFETIME_S and connection.silent:
                return connection
            connection.abort()
        return None

    def keep(self, connection: PlatformConnection, now: float) -> None:
        """Keep a connection whose answer is whole, or end it."""
        if self.retired or now >= connection.made_at + LIFETIME_S or not connection.rest():
            connection.abort()
            return
        self.used_at = now
        self.idle.append((connection, now))

    def sweep(self, now: float) -> bool:
        """End what is too old, unused or gone; return whether this pool is still of use."""
        old = now - IDLE_S
        if self.idle:
            born = now + SWEEP_S - LIFETIME_S
            kept = []
            for connection, since in self.idle:
                if since > old and connection.made_at > born:
                    kept.append((connection, since))
                else:
                    connection.abort()
            self.idle = kept
        return bool(self.idle) or self.used_at > old

    def retire(self) -> None:
        """End all of them, and whatever comes back."""
        self.retired = True
        for connection, _ in self.idle:
            connection.abort()
        self.idle.clear()


class Pools:
    """All platforms' pools; one that is not used any more is forgotten.

    Args:
        user_agent: sent with every request.
        clock: seconds that never run backwards.
    """

    def __init__(self, user_agent: str, clock: Callable[[], float]) -> None:
        self._user_agent = user_agent
        self._clock = clock
        self._trust = Trust()
        self._pools: dict[tuple[str, str, str | None], Pool] = {}
        self._timer: asyncio.TimerHandle | None = None

    def of(self, request: WebhookRequest) -> Pool:
        """Return the pool of the platform, as it is registered now.

        Raises:
            aiohttp.InvalidURL: its URL leads nowhere.
            BadAuthority: its own authority can't be read.
        """
        key = (request.platform_id, request.url, request.authority)
        pool = self._pools.get(key)
        if pool is None:
            target = target_of(request.url, self._user_agent)
            context = self._trust.context(request.authority)
            pool = self._pools[key] = Pool(target, context, self._clock())
            self._sweep_later()
        return pool

    def close(self) -> None:
        """End all connections that wait for a request."""
        if self._timer is not None:
            self._timer.cancel()
        for pool in self._pools.values():
            pool.retire()
        self._pools.clear()

    def _sweep_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._timer, now = None, self._clock()
        for key, pool in list(self._pools.items()):
            if not pool.sweep(now):
                pool.retire()
                del self._pools[key]
        if self._pools:
            self._sweep_later()
