"""The engines for PostgreSQL: one for each kind of commit, and what looks after both."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from disconnect_fanout.adapters.store.postgres.live_connections import LiveConnections
from disconnect_fanout.adapters.store.postgres.mute_connections import MuteWatch
from disconnect_fanout.adapters.store.postgres.session import (
    Backend,
    DriverConnection,
    open_session,
)
from disconnect_fanout.policy.session_limits import CONNECT_S, UNHURRIED, SessionLimits

_MORE = 4
_LATER_S = 5.0
"""The server ends a statement; if it does not, we do, so much later."""


class PostgresEngines:
    """Makes them, and ends them.

    Args:
        url: of the database.
        pool_size: connections that each keeps.
        limits: of its sessions.
    """

    def __init__(self, url: str, pool_size: int, limits: SessionLimits) -> None:
        self._url = url
        self._backends: WeakKeyDictionary[DriverConnection, Backend] = WeakKeyDictionary()
        self._live = LiveConnections(time.monotonic)
        self.recorder = self._engine(pool_size, limits, durable=True)
        self.intender = self._engine(pool_size, limits, durable=False)
        bare = partial(_connect, **self._parameters())
        self._watch = MuteWatch(self._live, self._backends, bare, time.monotonic)

    def unhurried(self, *, pausing: bool = False) -> AsyncEngine:
        """Return one with a single connection, for what takes its time; to be disposed of.

        Args:
            pausing: it may say nothing for a while, which the watch would take for muteness; TCP
                alone finds out if it goes mute.
        """
        return self._engine(1, UNHURRIED, durable=True, judged=not pausing)

    async def close(self) -> None:
        """Close all connections."""
        await self._watch.close()
        for engine in (self.recorder, self.intender):
            await engine.dispose()

    def _parameters(self) -> Mapping[str, Any]:
        dialect = self.recorder.dialect
        _, parameters = dialect.create_connect_args(make_url(self._url))
        parameters.pop("prepared_statement_cache_size", None)
        return {**parameters, "timeout": CONNECT_S, "command_timeout": CONNECT_S}

    def _engine(
        self, pool_size: int, limits: SessionLimits, *, durable: bool, judged: bool = True
    ) -> AsyncEngine:
        async def opened(**parameters: Any) -> DriverConnection:  # noqa: ANN401 - the URL's
            connect = partial(_connect, **parameters)
            connection, backend = await open_session(connect, limits, durable=durable)
            if judged:
                self._backends[connection] = backend
            return connection

        engine = create_async_engine(
            self._url,
            pool_size=pool_size,
            max_overflow=_MORE,
            hide_parameters=True,  # an error's text must hold no address
            connect_args={
                "async_creator_fn": opened,
                "timeout": CONNECT_S,
                "command_timeout": limits.statement_s + _LATER_S if limits.statement_s else None,
            },
        )
        self._live.watch(engine)
        return engine


async def _connect(**parameters: Any) -> DriverConnection:  # noqa: ANN401 - the URL's
    import asyncpg  # noqa: PLC0415 - with SQLite nobody imports it

    return await asyncpg.connect(server_settings={"application_name": "fanout"}, **parameters)
