"""Requests to an API that is killed in their middle, while the broker is away for some of them."""

import asyncio
from dataclasses import dataclass, field

import aiohttp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.installation import Installation

CALLER, OTHER = "plat_boardy", "plat_luma"
AT_ONCE = 8
KILLS = (0.15, 0.4, 0.65, 0.85)
AWAY, BACK = 0.25, 0.55


@dataclass
class Answers:
    """What became of each user's request; None where the answer was lost with the API."""

    statuses: dict[str, int | None] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, user: str, status: int | None) -> None:
        self.statuses[user] = status
        self.news.set()

    async def reach(self, count: float) -> None:
        """Wait until so many requests have ended, one way or another."""
        while len(self.statuses) < count:
            self.news.clear()
            await self.news.wait()


def linked(nth: int) -> bool:
    """Tell whether that user is linked to the caller; one in five is linked only elsewhere."""
    return nth % 5 != 0


async def requests_through_crashes(
    installation: Installation, broker: PrivateRabbitMQ, count: int
) -> None:
    """Ask for so many users, and claim: what answered 200 is told, what changed nothing is not."""
    users = [f"user{nth}@example.com" for nth in range(count)]
    async with Receiver() as caller, Receiver() as other:
        for platform, receiver in ((CALLER, caller), (OTHER, other)):
            await installation.register(platform, receiver)
        await installation.link(users, OTHER)
        await installation.link([one for nth, one in enumerate(users) if linked(nth)], CALLER)
        key = (await installation.ask("keys", "create", "--platform", CALLER))["key"]
        answers = Answers()
        async with ApiProcess(installation.settings, installation.folder) as api:
            asking = [asyncio.create_task(_ask(api, key, users[nth::AT_ONCE], answers))
                      for nth in range(AT_ONCE)]  # fmt: skip
            await _disturb(api, broker, answers, count)
            await asyncio.gather(*asking)
        async with installation.worker():
            ended = await _ended(installation, users)
            await other.received(len(ended), within=120)
            await caller.received(len(ended), within=120)
            await installation.settled("delivered", 2 * len(ended), within=120)
    told = {one.json()["data"]["user_email"] for one in other.requests}
    assert {user for user, status in answers.statuses.items() if status == 200} <= told
    assert told == ended, "told without a change, or changed without being told"
    assert not told & {one for nth, one in enumerate(users) if not linked(nth)}
    assert len(other.requests) == len(caller.requests) == len(told)
    assert None in answers.statuses.values(), "no request was cut off"
    assert {404, 200} <= set(answers.statuses.values())


async def _ask(api: ApiProcess, key: str, users: list[str], answers: Answers) -> None:
    for user in users:
        status: int | None = None
        try:
            path, header = f"/v1/calendars/{user}", ("X-API-Key", key)
            status = (await api.ask("DELETE", path, header)).status
        except aiohttp.ClientError:
            await api.up()
        answers.note(user, status)


async def _disturb(api: ApiProcess, broker: PrivateRabbitMQ, answers: Answers, count: int) -> None:
    for share in sorted([*KILLS, AWAY, BACK]):
        await answers.reach(share * count)
        if share == AWAY:
            await broker.crash()
        elif share == BACK:
            await broker.restart()
        else:
            await api.crash_and_start()


async def _ended(installation: Installation, users: list[str]) -> set[str]:
    """Return the users whose links have ended; all of a user's end together, or none."""
    found: set[str] = set()
    for user in users:
        links = await installation.ask("links", "list", "--email", user)
        states = {one["unlinked_at"] is not None for one in links}
        assert len(states) == 1, "half of a connection ended"
        if states == {True}:
            found.add(user)
    return found
