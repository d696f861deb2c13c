"""One installation: a place at a broker, a database, and what an operator registered there."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.harness.servers import amqp
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.worker import warm_command
from tests.harness.worker.command import CommandResult
from tests.harness.worker.disconnect import body
from tests.harness.worker.process import WorkerProcess

from disconnect_fanout.adapters.crypto.vault import new_key

EVENT_TYPE = "user.calendar.disconnected"
CONNECT_TYPE = "user.calendar.connected"
LONG_AGO = "2020-01-01T00:00:00Z"


class Installation:
    """Drives the product from outside: its command line, the broker, HTTP.

    Args:
        vhost: Where it lives at the broker.
        database_url: Empty so far.
        folder: For its files.
        settings: Further ``FANOUT_*`` variables.
    """

    def __init__(self, vhost: Vhost, database_url: str, folder: Path, **settings: str) -> None:
        self.vhost = vhost
        self.folder = folder
        self.settings = {
            **vhost.settings,
            "FANOUT_DATABASE_URL": database_url,
            "FANOUT_SECRET_KEY": new_key(),
            "FANOUT_ALLOW_HTTP": "true",
            "FANOUT_ALLOW_NETWORKS": "127.0.0.0/8,::1/128",
            "FANOUT_RETRY_SCHEDULE": "1s,1s,1s",
            **settings,
        }
        self.run = warm_command.fanout
        """Runs its commands; ``worker.command.fanout`` starts the installed program."""

    async def fanout(self, *args: str, stdin: str | None = None) -> CommandResult:
        """Run a command."""
        return await self.run(self.settings, *args, folder=self.folder, stdin=stdin)

    async def ask(self, *args: str) -> Any:
        """Run a command that must succeed; return what it printed as JSON."""
        return (await self.fanout(*args, "-o", "json")).json()

    async def migrate(self) -> None:
        """Create database and topology."""
        result = await self.fanout("migrate")
        assert result.exit_code == 0, result.stderr

    async def register(self, platform_id: str, receiver: Receiver | str, *options: str) -> str:
        """Register a platform and return its secret."""
        url = receiver if isinstance(receiver, str) else receiver.url
        added = await self.ask(
            "platforms", "add", platform_id, "--name", platform_id, "--url", url, *options
        )
        return str(added["secret"])

    async def link(
        self, emails: str | Iterable[str], *platform_ids: str, linked_at: str = LONG_AGO
    ) -> None:
        """Link users to platforms, in one import."""
        users = [emails] if isinstance(emails, str) else list(emails)
        lines = [
            json.dumps({"email": email, "platform_id": one, "linked_at": linked_at})
            for email in users
            for one in platform_ids
        ]
        path = self.folder / "links.jsonl"
        await asyncio.to_thread(path.write_text, "\n".join(lines) + "\n")
        result = await self.fanout("links", "import", str(path))
        assert result.exit_code == 0, result.stderr

    async def publish(self, *events: dict[str, Any]) -> None:
        """Publish events as upstream would, confirmed."""
        await self.publish_raw(*(body(event) for event in events))

    async def publish_connects(self, *events: dict[str, Any]) -> None:
        """Publish connect events as upstream would, confirmed and mandatory."""
        bodies = [body(event) for event in events]
        await amqp.publish(self.vhost.url, self.vhost.exchange, CONNECT_TYPE, *bodies)

    async def publish_raw(self, *bodies: bytes, **properties: Any) -> None:
        """Publish any bytes with the right routing key."""
        await amqp.publish(self.vhost.url, self.vhost.exchange, EVENT_TYPE, *bodies, **properties)

    async def depth(self, queue: str) -> int:
        """Return how many messages are ready in ``events``, ``dead`` or ``rejected``."""
        return await amqp.depth(self.vhost.url, self.vhost.queue(queue))

    async def depth_becomes(self, queue: str, count: int, *, within: float = 15.0) -> None:
        """Wait for a depth."""
        await amqp.depth_becomes(self.vhost.url, self.vhost.queue(queue), count, within=within)

    async def settled(
        self, state: str, count: int, *, within: float = 30.0
    ) -> list[dict[str, Any]]:
        """Wait until that many deliveries are in that state; return all deliveries."""
        found: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(within):
                while True:
                    found = await self.ask("deliveries", "list", "--limit", "100000")
                    if sum(one["state"] == state for one in found) >= count:
                        return found
        except TimeoutError:
            states = [one["state"] for one in found]
            raise AssertionError(f"{states.count(state)} of {count} are {state}") from None

    def worker(self, name: str = "worker", **settings: str) -> WorkerProcess:
        """Return a worker of this installation, not started yet."""
        return WorkerProcess({**self.settings, **settings}, self.folder, name=name)
