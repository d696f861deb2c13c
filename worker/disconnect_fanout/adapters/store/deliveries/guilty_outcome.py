"""Outcomes that the database refuses because of what they hold, found one by one and set aside.

What a platform answered is the only free text in an outcome; without it the outcome is recorded all
the same. One that is refused even so is reported loudly, and its neighbours are committed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from disconnect_fanout.flow.fact import Observe, OutcomeUnrecorded
from disconnect_fanout.flow.outage import DataRefused
from disconnect_fanout.policy.change import Attempted, Barrier, Change

_LEFT_OUT = "(the answer could not be stored)"

Commit = Callable[[Sequence[Change]], Awaitable[None]]
Probe = Callable[[], Awaitable[None]]


class OneByOne:
    """Commits changes singly.

    Args:
        commit: writes changes, through an outage.
        probe: returns once the database takes what is nobody's fault, through an outage.
    """

    def __init__(self, commit: Commit, probe: Probe, observe: Observe) -> None:
        self._commit = commit
        self._probe = probe
        self._observe = observe

    async def write(self, changes: Sequence[Change]) -> None:
        """Commit each change that can be; return when all that are left were reported."""
        for change in changes:
            if isinstance(change, Barrier):
                continue
            if not (await self._taken(change) or await self._taken(_bare(change))):
                self._set_aside(change)
        await self._commit([Barrier()])  # whoever waits relies on a flush

    async def _taken(self, change: Change) -> bool:
        """Tell whether it was written; a constraint that refuses everything is waited out."""
        for _ in range(2):
            try:
                await self._commit([change])
            except DataRefused:
                await self._probe()
            else:
                return True
        return False

    def _set_aside(self, change: Change) -> None:
        if isinstance(change, Attempted):
            self._observe(
                OutcomeUnrecorded(change.delivery_id, change.attempt.number, change.attempt.result)
            )


def _bare(change: Change) -> Change:
    """Return the change without the words that a platform has put into it."""
    if not isinstance(change, Attempted):
        return change
    return replace(change, attempt=replace(change.attempt, answer=_LEFT_OUT))
