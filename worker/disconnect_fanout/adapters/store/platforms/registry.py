"""The operator's side of platforms: registered, changed, switched, removed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, cast, delete, func, select, update

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.platforms.census import Census, count_around
from disconnect_fanout.adapters.store.platforms.open_breakers import open_breakers
from disconnect_fanout.adapters.store.platforms.registered import (
    SHOWN,
    PlatformChange,
    RegisteredPlatform,
    Registration,
    registered,
)
from disconnect_fanout.adapters.store.rows.legible import legible, require_legible
from disconnect_fanout.adapters.store.schema.tables import platforms
from disconnect_fanout.adapters.store.seals.secret_keys import note_key
from disconnect_fanout.domain.not_found import NotFound


class PlatformExists(Exception):
    """The id is taken."""


class PlatformRegistry:
    """Platforms in the database; workers see a change within a second.

    Args:
        vault: seals the signing secrets.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def add(self, new: Registration) -> None:
        """Register a platform.

        Raises:
            PlatformExists: under this id.
        """
        row = {
            "id": new.id,
            "name": new.name,
            "url": new.url,
            "scheme": new.scheme.value,
            "secret": self._vault.seal(new.secret.encode()),
            # Begins at the second of the registration, so that a late 410 to a removed namesake's
            # endpoint does not speak for this one.
            "revision": cast(self._database.now_ms / 1000, Integer),
            "timeout_s": new.timeout_s,
            "max_in_flight": new.max_in_flight,
            "rate_per_s": new.rate_per_s,
            "authority": new.authority,
            "enabled": True,
        }
        now = self._database.now_ms
        added = self._database.insert(platforms).values(**row, created_at=now, updated_at=now)
        async with self._database.record() as connection:
            await note_key(connection, self._database, self._vault.fingerprints[0])
            if not (await connection.execute(added.on_conflict_do_nothing())).rowcount:
                raise PlatformExists(f"platform {new.id} is already registered")

    async def all(self) -> list[RegisteredPlatform]:
        """Return all of them, in the order of their ids."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(platforms).order_by(platforms.c.id))).all()
            census = await count_around(connection, self._database.now_ms)
        shown = legible(self._database, platforms, rows, SHOWN)
        return [registered(row, census.get(row.id, Census())) for row in shown]

    async def get(self, platform_id: str) -> RegisteredPlatform:
        """Return one.

        Raises:
            NotFound: no such platform.
        """
        wanted = select(platforms).where(platforms.c.id == platform_id)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                raise NotFound("platform", platform_id)
            require_legible(platforms, row, SHOWN)
            census = await count_around(connection, self._database.now_ms, platform_id)
        return registered(row, census.get(row.id, Census()))

    async def change(self, platform_id: str, change: PlatformChange) -> None:
        """Change what is given; a new URL is a new revision.

        Raises:
            NotFound: no such platform.
        """
        values: dict[str, Any] = {
            name: value
            for name in ("name", "url", "timeout_s", "max_in_flight", "rate_per_s", "authority")
            if (value := getattr(change, name)) is not None
        }
        if change.url is not None:
            moved = platforms.c.url != change.url
            values["revision"] = platforms.c.revision + case((moved, 1), else_=0)
        await self._update(platform_id, **values)

    async def enable(self, platform_id: str) -> None:
        """Tell it again from now on."""
        await self._update(
            platform_id, enabled=True, disabled_reason=None, disabled_at=None, disabled_by=None
        )

    async def disable(self, platform_id: str) -> None:
        """Dead-letter what is for it, with the reason ``endpoint_disabled``."""
        await self._update(
            platform_id,
            enabled=False,
            disabled_reason="operator",
            disabled_at=self._database.now_ms,
            disabled_by=None,
        )

    async def pause(self, platform_id: str) -> None:
        """Hold its deliveries without attempts."""
        held_since = func.coalesce(platforms.c.paused_at, self._database.now_ms)
        await self._update(platform_id, paused_at=held_since)

    async def resume(self, platform_id: str) -> None:
        """Let its deliveries go."""
        await self._update(platform_id, paused_at=None)

    async def rotate_secret(self, platform_id: str, secret: str, overlap: timedelta | None) -> None:
        """Sign with a new secret.

        Args:
            platform_id: whose.
            secret: the new one, of the platform's scheme.
            overlap: how long the old one signs too; None after a leak.
        """
        until: ColumnElement[int] | None = None
        if overlap is not None:
            until = self._database.now_ms + overlap // timedelta(milliseconds=1)
        async with self._database.record() as connection:
            await note_key(connection, self._database, self._vault.fingerprints[0])
        await self._update(
            platform_id,
            secret=self._vault.seal(secret.encode()),
            old_secret=None if overlap is None else platforms.c.secret,
            old_secret_until=until,
            revision=platforms.c.revision + 1,
        )

    async def remove(self, platform_id: str) -> None:
        """Forget it and its secret. Its links stay; what is pending becomes dead letters.

        Raises:
            NotFound: no such platform.
        """
        gone = delete(platforms).where(platforms.c.id == platform_id)
        reports = delete(open_breakers).where(open_breakers.c.platform_id == platform_id)
        async with self._database.record() as connection:
            if not (await connection.execute(gone)).rowcount:
                raise NotFound("platform", platform_id)
            await connection.execute(reports)  # a namesake is another platform

    async def _update(self, platform_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
        change = (
            update(platforms)
            .where(platforms.c.id == platform_id)
            .values(**values, updated_at=self._database.now_ms)
        )
        async with self._database.record() as connection:
            if not (await connection.execute(change)).rowcount:
                raise NotFound("platform", platform_id)
