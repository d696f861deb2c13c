"""Outcomes that the database refuses because of what they hold, found one by one and set aside.

What a platform answered is the only free text in an outcome; without it the outcome is recorded all
the same. One that is refused even so is reported loudly, and its neighbours are committed.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from disconnect_fanout.flow.fact import Observe, OutcomeUnrecorded
from disconnect_fanout.flow.outage import DataRefused
from disconnect_fanout.policy.change import Attempted, Barrier, Change

_LEFT_OUT = "(the answer could not be stored)"

Commit = Callable[[Sequence[Change]], Awaitable[Collection[Change]]]
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

    async def write(self, changes: Sequence[Change]) -> Collection[Change]:
        """Commit each change that can be; return when all that are left were reported.

        Returns:
            What was fenced out or reported: it has not been applied.
        """
        left = []
        for change in changes:
            if isinstance(change, Barrier):
                continue
            fenced = await self._taken(change)
            if fenced is None:
                fenced = await self._taken(_bare(change))
            if fenced is None:
                self._report(change)
            if fenced is None or fenced:
                left.append(change)
        await self._commit([Barrier()])  # whoever waits relies on a flush
        return left

    async def _taken(self, change: Change) -> bool | None:
        """Tell whether it was fenced out, None if it is refused.

        A constraint that refuses everything is waited out.
        """
        for _ in range(2):
            try:
                return bool(await self._commit([change]))
            except DataRefused:
                await self._probe()
        return None

    def _report(self, change: Change) -> None:
        if isinstance(change, Attempted):
            self._observe(
                OutcomeUnrecorded(change.delivery_id, change.attempt.number, change.attempt.result)
            )


def _bare(change: Change) -> Change:
    """Return the change without the words that a platform has put into it."""
    if not isinstance(change, Attempted):
        return change
    return replace(change, attempt=replace(change.attempt, answer=_LEFT_OUT))
