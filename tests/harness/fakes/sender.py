"""A ``Sender`` in memory: platforms answer from scripts, and what was sent is remembered."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.webhook import WebhookRequest


class Silence(Enum):
    """What a platform says that says nothing."""

    HANG = "hang"
    """No answer before ``release``, or the time-out."""


HANG = Silence.HANG
Step: TypeAlias = int | Exchange | Silence | Unable
Script: TypeAlias = Step | Sequence[Step] | Callable[[WebhookRequest], Step]


class FakeSender:
    """Keeps the contract of ``tests/contract/test_sender.py``.

    Args:
        script: how every platform answers that has no script of its own: a step for ever; a list,
            worked off, whose last entry goes on for ever; or a callable that decides.
    """

    def __init__(self, script: Script = 200) -> None:
        self.requests: list[WebhookRequest] = []
        """In the order in which they were sent."""
        self._fallback = script
        self._scripts: dict[str, Callable[[WebhookRequest], Step]] = {}
        self._arrival = asyncio.Condition()
        self._released = asyncio.Event()

    def answers(self, platform_id: str, script: Script) -> None:
        """Give a platform a script of its own, also half-way."""
        self._scripts[platform_id] = _play(script)

    def release(self) -> None:
        """Answer 200 to everything that hangs, and let nothing hang any more."""
        self._released.set()

    async def sent(self, count: int, platform_id: str | None = None) -> list[WebhookRequest]:
        """Wait until ``count`` requests were sent (to one platform, or to all); return them."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.sent_to(platform_id)) >= count)
        return self.sent_to(platform_id)

    def sent_to(self, platform_id: str | None = None) -> list[WebhookRequest]:
        """Return what was sent so far, to one platform or to all."""
        return [one for one in self.requests if platform_id in (None, one.platform_id)]

    async def send(self, request: WebhookRequest) -> Exchange | Unable:
        """Answer as the script says; a time-out is one of the loop's clock, virtual or not.

        ``Unable`` makes no request: nobody is told.
        """
        async with self._arrival:
            self.requests.append(request)
            self._arrival.notify_all()
        if request.platform_id not in self._scripts:
            self.answers(request.platform_id, self._fallback)
        step = self._scripts[request.platform_id](request)
        if isinstance(step, Silence):
            return await self._silence(request)
        return Answer(step) if isinstance(step, int) else step

    async def _silence(self, request: WebhookRequest) -> Exchange:
        try:
            async with asyncio.timeout(request.timeout_s):
                await self._released.wait()
        except TimeoutError:
            words = f"no complete answer within {request.timeout_s:g} s"
            return Failure(FailureKind.TIMED_OUT, words)
        return Answer(200)


def _play(script: Script) -> Callable[[WebhookRequest], Step]:
    if callable(script):
        return script
    steps = deque(script) if isinstance(script, Sequence) else deque([script])
    if not steps:
        raise ValueError("an empty script answers nothing; use HANG")
    return lambda _request: steps.popleft() if len(steps) > 1 else steps[0]
