"""How long a session of ours may make others wait, at the database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Seconds; 0 is for ever.

    Attributes:
        statement_s: for one statement.
        lock_s: of waiting for one lock.
        idle_in_transaction_s: of saying nothing while holding a transaction open. A peer that went
            mute holds its locks no longer than this.
    """

    statement_s: float
    lock_s: float
    idle_in_transaction_s: float


WORKING = SessionLimits(statement_s=60.0, lock_s=10.0, idle_in_transaction_s=15.0)
"""Workers, the API and commands."""

UNHURRIED = SessionLimits(statement_s=0.0, lock_s=0.0, idle_in_transaction_s=600.0)
"""Migrations and what rewrites whole tables: a busy database makes them slow, not wrong."""

OF_OTHERS = ("idle_session_timeout", "transaction_timeout")
"""Turned off where the server knows them (14, 17): a role's would end what we keep for the next
question, and what takes its time."""

CONNECT_S = 3.0
"""For a new connection; a server that is away longer is tried again, and found within this."""

PING_AFTER_S = 1.0
"""A connection that was idle for longer is asked for a sign of life before it is used."""

PING_S = 1.5
"""For that sign of life."""

MUTE_AFTER_S = 2.0
"""A connection that was lent for longer is looked at, and so is its session at the server."""

LOOK_EVERY_S = 0.5
"""Between two such looks while the server can't be reached."""

LOOK_AGAIN_S = 2.0
"""Between two looks that found that the server is working for us."""

TCP_IDLE_S = 15
TCP_PROBE_EVERY_S = 5
TCP_PROBES = 3
TCP_UNANSWERED_MS = 15_000
"""What TCP itself does about a peer that is gone, at both ends: half a minute and not two hours."""
