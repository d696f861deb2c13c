"""A real database, behind the contract suite's back door."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from sqlalchemy import insert, select, update
from tests.harness.fakes.world import TIMEOUT_S
from tests.harness.store.world import Ports

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.crypto.webhook_secret import new_secret
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.dead_letters.store import SqlDeadLetterStore
from disconnect_fanout.adapters.store.deliveries.balance import BalanceSheet
from disconnect_fanout.adapters.store.deliveries.due import SqlDueStore
from disconnect_fanout.adapters.store.deliveries.ledger import SqlLedger
from disconnect_fanout.adapters.store.events.retention import Retention
from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.leader_lease import LeaderLease
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.managed_links.store import SqlLinkStore
from disconnect_fanout.adapters.store.migration.migrate import migrate
from disconnect_fanout.adapters.store.platforms.open_breakers import open_breakers
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.replays.job import ReplayJobs
from disconnect_fanout.adapters.store.replays.pacer import SqlReplayStore
from disconnect_fanout.adapters.store.rows.locked import lock_named
from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.seals.answer_seals import answer_of
from disconnect_fanout.adapters.store.seals.event_seals import Seals, load_seals
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.instant import from_ms, span_ms, to_s
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.domain.platform import Scheme
from disconnect_fanout.flow.fact import Fact
from disconnect_fanout.policy.delivery_row import DeliveryRow

_INSTANTS = {
    tables.deliveries: (
        "next_at", "not_before", "born_at", "decided_at", "first_failed_at", "created_at",
        "settled_at",
    ),
    tables.events: ("received_at",),
    connects: ("received_at",),
    tables.platforms: ("old_secret_until",),
    tables.replays: ("slot_at", "finished_at"),
    tables.duties: ("until",),
    open_breakers: ("seen_at",),
}  # fmt: skip


class SqlWorld:
    """``World`` on a migrated database."""

    def __init__(self, url: str, vault: Vault, seals: Seals) -> None:
        self.url = url
        self.vault = vault
        self.seals = seals
        self.facts = list[Fact]()
        self.databases: list[Database] = []
        self.worker = self.ports(self.open())

    @classmethod
    async def on(cls, url: str) -> Self:
        """Migrate the database and open it."""
        vault = Vault([new_key()])
        await migrate(url, vault)
        database = Database(url)
        seals = await load_seals(database, vault)
        await database.close()
        return cls(url, vault, seals)

    @property
    def database(self) -> Database:
        """The first worker's."""
        return self.databases[0]

    def open(self) -> Database:
        """Return one more Database on the same URL; closed with the world."""
        self.databases.append(Database(self.url))
        return self.databases[-1]

    def ports(self, database: Database) -> Ports:
        """Return a worker's ports."""
        return Ports(
            events=SqlEventStore(database, self.seals, by_google_id=True),
            links=SqlLinkStore(database, self.seals),
            ledger=SqlLedger(database, self.vault, self.facts.append),
            due=SqlDueStore(database, self.seals),
            platforms=SqlPlatformSource(database, self.vault, TIMEOUT_S),
            letters=SqlDeadLetterStore(database),
            replays=SqlReplayStore(database, self.seals),
            jobs=ReplayJobs(database),
            leader_lease=LeaderLease(database),
            balance=BalanceSheet(database),
            retention=partial(Retention, database),
        )

    async def another_worker(self) -> Ports:
        return self.ports(self.open())

    async def add_platform(
        self, platform_id: str, *, enabled: bool = True, timeout_s: float | None = None
    ) -> None:
        await self.insert_platform(platform_id, enabled=enabled, timeout_s=timeout_s)

    async def insert_platform(self, platform_id: str, **fields: Any) -> None:
        """Insert a platform's row, changed in these columns."""
        row = {
            "id": platform_id,
            "name": platform_id.title(),
            "url": f"https://{platform_id}.example.com/hook",
            "scheme": Scheme.STANDARD,
            "secret": self.vault.seal(new_secret(Scheme.STANDARD).encode()),
            "revision": 1,
            "enabled": True,
            "created_at": 0,
            "updated_at": 0,
            **fields,
        }
        async with self.database.record() as connection:
            await connection.execute(insert(tables.platforms).values(row))

    async def add_links(self, *links: Link) -> None:
        sealed = SealedLinks(self.database, self.seals)
        async with self.database.record() as connection:
            rows = [sealed.columns(link) for link in links]
            await connection.execute(insert(tables.links), rows)

    async def insert_clear_links(self, *links: Link) -> None:
        """Insert links as the owner's own SQL does."""
        clear = [
            {
                "email": link.email,
                "google_id": link.google_id,
                "provider": link.provider,
                "platform_id": link.platform_id,
                "linked_at": to_s(link.linked_at),
                "unlinked_at": None if link.unlinked_at is None else to_s(link.unlinked_at),
            }
            for link in links
        ]
        async with self.database.record() as connection:
            await connection.execute(insert(tables.links), clear)

    async def pass_time(self, seconds: float) -> None:
        """The clock is real and can't be moved, so everything stored moves back."""
        async with self.database.record() as connection:
            for table, columns in _INSTANTS.items():
                older = {name: table.c[name] - span_ms(seconds) for name in columns}
                await connection.execute(update(table).values(older))

    async def row(self, delivery_id: str) -> DeliveryRow:
        async with self.database.record() as connection:
            return (await lock_named(connection, self.database, [delivery_id]))[delivery_id]

    async def timeline(self, delivery_id: str) -> Sequence[Attempt]:
        made = (
            select(tables.attempts)
            .where(tables.attempts.c.delivery_id == delivery_id)
            .order_by(tables.attempts.c.number)
        )
        async with self.database.read() as connection:
            return [_attempt(row, self.vault) for row in await connection.execute(made)]

    async def copies(self, event_id: str) -> int:
        copies = select(tables.events.c.copies).where(tables.events.c.id == event_id)
        async with self.database.read() as connection:
            return int((await connection.execute(copies)).scalar_one())

    async def near_misses(self, event_id: str) -> int:
        known = select(tables.events.c.near_misses).where(tables.events.c.id == event_id)
        async with self.database.read() as connection:
            return int((await connection.execute(known)).scalar_one())

    async def close(self) -> None:
        for database in self.databases:
            await database.close()


def _attempt(row: Any, vault: Vault) -> Attempt:
    return Attempt(
        row.number, from_ms(row.at), Result(row.result), row.status, row.duration_ms,
        answer_of(vault, row) or "", row.replay,
    )  # fmt: skip
