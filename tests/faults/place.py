"""Where a fault takes place: which broker and database it may harm, and which it shares."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.cluster import Cluster
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.postgres_install import ensure_binaries
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.small_disk import SmallDisk

from disconnect_fanout.demo.rabbitmq_install import ensure_server

if TYPE_CHECKING:
    from tests.faults.row import Row


@dataclass(frozen=True, slots=True)
class Servers:
    """What all scenes share, started when it is first asked for.

    Attributes:
        new_vhost: a fresh place at a broker that nobody may crash.
        new_database: an empty database on a PostgreSQL that nobody may crash.
    """

    new_vhost: Callable[[], Awaitable[Vhost]]
    new_database: Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker lives; what is None is shared, and not to be harmed."""

    vhost: Vhost
    database_url: str
    broker: PrivateRabbitMQ | None = None
    cluster: Cluster | None = None
    postgres: PrivatePostgres | None = None
    disk: SmallDisk | None = None


async def place_for(row: "Row", servers: Servers, folder: Path, stack: AsyncExitStack) -> Place:
    """Start what this row has to itself."""
    broker = cluster = postgres = disk = None
    match row.broker:
        case "own":
            broker = await stack.enter_async_context(PrivateRabbitMQ(ensure_server()))
            vhost = Vhost(broker.url)
        case "cluster":
            cluster = await stack.enter_async_context(Cluster(ensure_server()))
            vhost = Vhost(cluster.url)
        case "shared":
            vhost = await servers.new_vhost()
    match row.database:
        case "sqlite":
            url = f"sqlite+aiosqlite:///{folder / 'fanout.db'}"
        case "small-disk":
            disk = await stack.enter_async_context(SmallDisk(folder / "disk"))
            url = f"sqlite+aiosqlite:///{disk.folder / 'fanout.db'}"
        case "postgresql":
            url = await servers.new_database()
        case "own-postgresql":
            postgres = await stack.enter_async_context(PrivatePostgres(ensure_binaries()))
            url = await postgres.create_database()
    return Place(vhost, url, broker, cluster, postgres, disk)
