"""The scene of a fault: a broker, a database, platforms, upstream and a worker, all real."""

import asyncio
import sys
import time
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from aio_pika.exceptions import AMQPError
from tests.faults.bookkeeper import Bookkeeper
from tests.faults.ledger import Books, Interruption, Name
from tests.faults.place import Place, Servers, place_for
from tests.faults.platform import Platform
from tests.faults.proxy import Proxy
from tests.faults.upstream import Upstream, user_of
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.installation import Installation
from tests.harness.worker.process import WorkerProcess

from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.flow.outage import StoreUnreachable

if TYPE_CHECKING:
    from tests.faults.row import Row

ROOT = Path(__file__).parents[2]
PLATFORMS = ("boardy", "calcom", "luma")
_LOOK_EVERY_S = 0.25
_LAUNCHER = (sys.executable, "-m", "tests.faults.launch")


class Scene:
    """Set up on entry; gone on exit, whatever was done to it.

    Args:
        row: what it needs.
        servers: those that all scenes share.
        folder: for its files.
    """

    def __init__(self, row: "Row", servers: Servers, folder: Path) -> None:
        self.row = row
        self.folder = folder
        self.ids = [f"evt_{number}" for number in range(row.load.events)]
        self.platforms = [Platform(_platform(one)) for one in range(row.load.platforms)]
        self.platform_options: list[str] = []
        self.wires: dict[str, Proxy] = {}
        self.worker_settings: dict[str, str] = {}
        """Beside the installation's; a fault adds to it before the worker starts."""
        self.crew = ["worker"]
        """The names of the workers, the first of which is ``worker``."""
        self.workers: list[WorkerProcess] = []
        self.waiting: set[Name] = set()
        self.host = "127.0.0.1"
        """How the platforms' host is called in their URLs."""
        self.hosts: dict[str, str] = {}
        """How it is called in the URL of a platform that has a host of its own."""
        self._servers = servers
        self.stack = AsyncExitStack()
        """Closed with the scene; a fault may add to it."""
        self.names = {
            delivery_id(event, one.name): Name(event, one.name)
            for event in self.ids
            for one in self.platforms
        }
        """The deliveries, by their webhook id."""
        self._interruptions: list[Interruption] = []
        self._publishing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.place: Place = await place_for(self.row, self._servers, self.folder, stack)
            self.installation = Installation(
                self.place.vhost, self.place.database_url, self.folder, **self.row.settings
            )
            self.books_of = Bookkeeper(self.place.vhost, self.place.database_url)
            self.upstream = Upstream(self.place.vhost)
            for wire in self.row.wires:
                self.wires[wire] = await stack.enter_async_context(Proxy(self._port_of(wire)))
            self.stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._publishing is not None:
            self._publishing.cancel()
            with suppress(asyncio.CancelledError):
                await self._publishing
        await self.stack.aclose()

    @property
    def worker(self) -> WorkerProcess:
        """The first worker, which most faults are about."""
        return self.workers[0]

    async def start(self) -> None:
        """Migrate, register, link, and start the workers."""
        await self.installation.migrate()
        if self.place.broker is not None:
            await self.place.broker.flush_names()
        for one in self.platforms:
            await self.listen(one.receiver)
        for one in self.platforms:
            host = self.hosts.get(one.name, self.host)
            url = f"http://{host}:{one.receiver.port}/hook"
            options = self.platform_options
            one.secret = await self.installation.register(one.name, url, *options)
        names = [one.name for one in self.platforms]
        await self.installation.link(map(user_of, self.ids), *names)
        self.workers = [await self.another_worker(name) for name in self.crew]

    async def listen(self, receiver: Receiver) -> None:
        """Start a receiver that stops with the scene."""
        await self.stack.enter_async_context(receiver)

    async def another_worker(self, name: str) -> WorkerProcess:
        """Start a worker that is killed with the scene."""
        settings = {
            **self.installation.settings,
            "PYTHONPATH": str(ROOT),
            **{
                variable: wire.through(self.installation.settings[variable])
                for kind, variable in _URLS.items()
                if (wire := self.wires.get(kind)) is not None
            },
            **self.worker_settings,
        }
        worker = WorkerProcess(settings, self.folder, name=name, program=_LAUNCHER)
        self.stack.push_async_callback(worker.close)
        await worker.start()
        return worker

    def publish(self) -> None:
        """Let upstream publish, beside what comes."""
        self.published_at = time.monotonic()
        work = self.upstream.publish(self.ids, self.row.load.per_s)
        self._publishing = asyncio.create_task(work)

    async def told(self, share: float, *, within: float = 60.0) -> None:
        """Wait until the first platform has had requests for such a share of the events.

        Raises:
            AssertionError: fewer came; or all have come, so that a fault would be too late.
        """
        first = self.platforms[0].receiver
        await first.received(round(share * len(self.ids)), within=within)
        assert len(first.requests) < len(self.ids), "everything was told before the fault"

    async def all_heard(self, *, within: float = 60.0) -> None:
        """Wait until each platform has had a request about each event, whatever it answered."""

        def heard(platform: Platform) -> bool:
            return len({one.webhook_id for one in platform.requests}) == len(self.ids)

        for one in self.platforms:
            await self.becomes(partial(heard, one), f"{one.name} heard it all", within=within)

    async def forgets(self, *, since: float = 0.0, exact: bool = True) -> None:
        """Note that somebody forgot, just now, what was in flight and not recorded.

        Args:
            since: requests before this instant are not excused.
            exact: the database can be read now, and what it has is no excuse.
        """
        recorded: Collection[Name] = ()
        if exact:
            rows = await self.books_of.recorded()
            recorded = [name for name, row in rows.items() if row.state != "pending"]
        now = time.monotonic()
        self._interruptions.append(Interruption(since, now, frozenset(recorded)))

    async def settle(self) -> None:
        """Wait until upstream has all its confirms and nothing is pending; the ledger says more."""
        assert self._publishing is not None
        deadline = time.monotonic() + self.row.within_s
        with suppress(TimeoutError):
            async with asyncio.timeout(self.row.within_s):
                await asyncio.shield(self._publishing)
        while time.monotonic() < deadline:
            with suppress(StoreUnreachable, AMQPError, OSError, TimeoutError):
                if await self._at_rest():
                    break
            await asyncio.sleep(_LOOK_EVERY_S)

    async def becomes(self, what: Callable[[], bool], words: str, *, within: float = 30.0) -> None:
        """Wait until something that nobody tells of is so.

        Raises:
            AssertionError: it was not, all the time.
        """
        deadline = time.monotonic() + within
        while not what():
            assert time.monotonic() < deadline, f"not within {within:g} s: {words}"
            await asyncio.sleep(0.02)

    async def broker_is_back(self) -> None:
        """Wait until the worker has lost the broker and says that it is back."""

        def is_back() -> bool:
            log = self.worker.stderr
            return log.rfind("broker is back") > log.rfind("broker is unreachable") >= 0

        await self.becomes(is_back, "the worker has lost the broker and is back", within=60)

    @property
    def own_broker(self) -> PrivateRabbitMQ:
        """The broker that this scene has to itself."""
        assert self.place.broker is not None, "this fault needs a broker of its own"
        return self.place.broker

    async def books(self) -> Books:
        """Return everything that the run left behind."""
        return Books(
            platforms=[one.name for one in self.platforms],
            published=self.upstream.confirmed,
            attempted=self.upstream.attempted,
            received=[receipt for one in self.platforms for receipt in one.receipts(self.names)],
            recorded=await self.books_of.recorded(),
            letters=await self.books_of.letters(self.names),
            rejected=await self.books_of.rejected(),
            waiting=self.waiting,
            interruptions=self._interruptions,
        )

    async def _at_rest(self) -> bool:
        rest = await self.books_of.rest()
        if len(self.upstream.confirmed) < len(self.ids) or rest.pending > len(self.waiting):
            return False
        known = rest.events + await self.books_of.waiting_in("rejected")
        dead = await self.books_of.waiting_in("dead")
        return known >= len(self.ids) and dead == rest.dead

    def _port_of(self, wire: str) -> int:
        port = urlsplit(self.installation.settings[_URLS[wire]]).port
        assert port is not None, f"there is no wire to the {wire}"
        return port


def _platform(number: int) -> str:
    return PLATFORMS[number] if number < len(PLATFORMS) else f"platform{number}"


_URLS = {"broker": "FANOUT_AMQP_URL", "database": "FANOUT_DATABASE_URL"}
