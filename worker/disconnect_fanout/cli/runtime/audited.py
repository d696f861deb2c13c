"""The audit of changing commands: one line in each of them."""

import asyncio
import os
import pwd
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from disconnect_fanout.adapters.store.audit_trail import AuditTrail
from disconnect_fanout.cli.runtime.invocation import invocation
from disconnect_fanout.cli.runtime.session import Session
from disconnect_fanout.cli.screen.output import say
from disconnect_fanout.flow.outage import StoreUnreachable


@asynccontextmanager
async def audited(session: Session) -> AsyncIterator[dict[str, int]]:
    """Keep an audit entry for what happens inside: who, when, the command line, how it ended.

    Every command that changes something opens it when it is certain to act, that is after the
    person was asked, and puts into it what it counted::

        async with opened() as session, audited(session) as counts:
            counts["discarded"] = await discard(…)

    The command and its arguments are those that ``main`` was given; addresses of users, account
    ids and what follows a URL's host are left out. The entry is on disk before anything changes:
    what is not audited is not done.

    Raises:
        StoreUnreachable: it can't be written, so nothing was changed.
    """
    trail, run = AuditTrail(session.database), invocation()
    number = await trail.begin(_who(), run.command, run.arguments)
    counts: dict[str, int] = {}
    outcome = "failed"
    try:
        yield counts
        outcome = "done"
    except (asyncio.CancelledError, KeyboardInterrupt):
        outcome = "interrupted"
        raise
    finally:
        await _finish(trail, number, outcome, counts)


async def _finish(trail: AuditTrail, number: int, outcome: str, counts: dict[str, int]) -> None:
    """An entry without an end says less; it is no reason to call a change failed that was made."""
    try:
        await trail.finish(number, outcome, counts)
    except StoreUnreachable as error:
        say(f"fanout: warning: the audit does not know how this ended ({error})")


def _who() -> str:
    """Ask the operating system, not the environment: that says how it was started."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:  # a container runs under a number that nobody named
        name = str(user)
    return f"{name}@{socket.gethostname()}"
