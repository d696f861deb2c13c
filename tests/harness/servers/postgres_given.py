"""A PostgreSQL that somebody else runs (``TEST_POSTGRES_URL``): fresh databases on it."""

import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg


class GivenPostgres:
    """A server whose life is not ours; a test that must crash one takes a private one.

    Args:
        url: ``postgresql+asyncpg://…``, of a user who may create databases.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._created: list[str] = []

    async def create_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"fanout_test_{secrets.token_hex(6)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        self._created.append(name)
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    async def drop_databases(self) -> None:
        """Drop what was created, also if a connection to it is still open."""
        for name in self._created:
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._created.clear()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url.replace("+asyncpg", "", 1))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
