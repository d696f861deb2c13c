"""A new session at PostgreSQL: what is set in it, once it is open.

By a statement and not by start-up parameters: a pooler between us and the server refuses those that
it does not track, and then a worker would read and never write.
"""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from disconnect_fanout.adapters.store.postgres.pooler import refuse_shared_sessions
from disconnect_fanout.policy import session_limits as limit
from disconnect_fanout.policy.session_limits import SessionLimits

DriverConnection: TypeAlias = Any
"""asyncpg's, which ships no types."""

Connect: TypeAlias = Callable[..., Awaitable[DriverConnection]]

_WHO = "SELECT pid, backend_start FROM pg_stat_get_activity(pg_backend_pid())"
# An outcome is on disk before its ack, whatever the role's or the database's default is. To wait
# for replicas too (remote_write, remote_apply), or for this disk alone (local), is the operator's.
_CHOSEN = "current_setting('synchronous_commit')"
_DURABLE = f"CASE {_CHOSEN} WHEN 'off' THEN 'on' ELSE {_CHOSEN} END"
_HASTY = "'off'"
_OFF = (
    "CASE WHEN current_setting('{name}', true) IS NOT NULL "
    "THEN set_config('{name}', '0', false) END"
)


@dataclass(frozen=True, slots=True)
class Backend:
    """Who serves a session at the server.

    Attributes:
        started: tells it from another one that has the same number later, or on another server.
    """

    pid: int
    started: datetime


async def open_session(
    connect: Connect, limits: SessionLimits, *, durable: bool
) -> tuple[DriverConnection, Backend]:
    """Open a session and set it up.

    Args:
        connect: opens a bare one.
        limits: how long it may make others wait.
        durable: whether its commits reach the disk before they are answered.

    Raises:
        StoreRefuses: a pooler gives each transaction another session.
    """
    connection = await connect()
    try:
        _keep_alive(connection)
        pid, started = await connection.fetchrow(_WHO, timeout=limit.CONNECT_S)
        if pid != connection.get_server_pid():  # somebody stands between
            await refuse_shared_sessions(connection, connect)
        await connection.execute(_settings(limits, durable=durable), timeout=limit.CONNECT_S)
    except BaseException:
        connection.terminate()
        raise
    return connection, Backend(pid, started)


def _settings(limits: SessionLimits, *, durable: bool) -> str:
    """Return one statement that sets all; it holds nothing that came from outside."""
    values = {
        "statement_timeout": f"'{limits.statement_s * 1000:.0f}'",
        "lock_timeout": f"'{limits.lock_s * 1000:.0f}'",
        "idle_in_transaction_session_timeout": f"'{limits.idle_in_transaction_s * 1000:.0f}'",
        "tcp_keepalives_idle": f"'{limit.TCP_IDLE_S}'",
        "tcp_keepalives_interval": f"'{limit.TCP_PROBE_EVERY_S}'",
        "tcp_keepalives_count": f"'{limit.TCP_PROBES}'",
        "tcp_user_timeout": f"'{limit.TCP_UNANSWERED_MS}'",
        "synchronous_commit": _DURABLE if durable else _HASTY,
    }
    each = [f"set_config('{name}', {value}, false)" for name, value in values.items()]
    each += [_OFF.format(name=name) for name in limit.OF_OTHERS]
    return f"SELECT {', '.join(each)}"


def _keep_alive(connection: DriverConnection) -> None:
    """Let our end of TCP notice a peer that is gone; other systems name these options otherwise."""
    wire = connection._transport.get_extra_info("socket")  # noqa: SLF001 - nothing else has it
    if wire is None or wire.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", limit.TCP_IDLE_S),
        ("TCP_KEEPINTVL", limit.TCP_PROBE_EVERY_S),
        ("TCP_KEEPCNT", limit.TCP_PROBES),
        ("TCP_USER_TIMEOUT", limit.TCP_UNANSWERED_MS),
    ):
        if (option := getattr(socket, name, None)) is not None:
            wire.setsockopt(socket.IPPROTO_TCP, option, value)
