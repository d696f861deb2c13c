"""Roles of a PostgreSQL server that may do so much and no more."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import make_url, text
from tests.harness.store.sql_world import SqlWorld


@asynccontextmanager
async def role(world: SqlWorld, *granted: str) -> AsyncIterator[str]:
    """Make a role; return the URL with which it reaches the world's database.

    Args:
        world: on PostgreSQL, opened by a role that may do everything.
        granted: what it may do, such as ``SELECT ON events``.
    """
    name = f"role_{uuid.uuid4().hex}"
    await _run(world, f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
    try:
        for one in ("USAGE ON SCHEMA public", "SELECT ON alembic_version", *granted):
            await _run(world, f"GRANT {one} TO {name}")
        named = make_url(world.url).set(username=name, password="p")  # noqa: S106
        yield named.render_as_string(hide_password=False)
    finally:
        await _run(world, f"DROP OWNED BY {name}")
        await _run(world, f"DROP ROLE {name}")


def grants(needs: Mapping[str, str]) -> list[str]:
    """Return what is needed of tables as words for ``role``."""
    return [f"{privileges.replace(' ', ', ')} ON {table}" for table, privileges in needs.items()]


async def _run(world: SqlWorld, statement: str) -> None:
    async with world.database.record() as connection:
        await connection.execute(text(statement))
