"""The bytes of a database's files, and every form in which a secret might stand in them."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

_WITHOUT_A_KEY = ("md5", "sha1", "sha256", "sha512", "blake2b")


class DatabaseFiles:
    """What lies on the disk.

    Args:
        url: of the database.
        data: PostgreSQL's data folder.
    """

    def __init__(self, url: str, data: Path | None) -> None:
        self._url = make_url(url)
        self._data = data

    async def read(self) -> bytes:
        """Return SQLite's file, log and index; PostgreSQL's tables, indexes and catalogues."""
        if self._data is None:
            file = Path(self._url.database or "")
            return await asyncio.to_thread(_contents, file.parent, f"{file.name}*")
        number = await self._written()
        return await asyncio.to_thread(_contents, self._data / "base" / str(number), "*")

    async def _written(self) -> int:
        """Let PostgreSQL write what it has in memory; return the number of the database."""
        import asyncpg  # noqa: PLC0415 - the policy suite loads this file and stays under a second

        plain = self._url.set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        try:
            await connection.execute("CHECKPOINT")
            named = "SELECT oid FROM pg_database WHERE datname = current_database()"
            return int(await connection.fetchval(named))
        finally:
            await connection.close()


def _contents(folder: Path, pattern: str) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(folder.glob(pattern)) if one.is_file())


def found_in(stored: bytes, *secrets: str) -> list[str]:
    """Return which forms of which secrets are there: as they are, encoded, or hashed bare."""
    lower = stored.lower()
    return [
        f"{secret}: {name}"
        for secret in secrets
        for name, form in _forms(secret)
        if form in stored or (name.endswith("hex") and form in lower)
    ]


def _forms(secret: str) -> Iterator[tuple[str, bytes]]:
    for case, text in {"": secret, "lower ": secret.lower(), "upper ": secret.upper()}.items():
        plain = text.encode()
        yield f"{case}clear", plain
        yield f"{case}utf-16", text.encode("utf-16-le")
        yield f"{case}hex", plain.hex().encode()
        for shift in range(3):  # wherever it stands in a longer text
            middle = base64.b64encode(b"\0" * shift + plain)[shift + 1 : -4]
            yield f"{case}base64 at {shift}", middle
        for algorithm in _WITHOUT_A_KEY:
            digest = hashlib.new(algorithm, plain)
            yield f"{case}{algorithm}", digest.digest()[:16]
            yield f"{case}{algorithm} hex", digest.hexdigest()[:32].encode()
