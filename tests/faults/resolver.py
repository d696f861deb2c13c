"""A resolver that a test commands through a file, inside the worker that ``launch`` starts.

The file holds JSON: ``{"host": {"addresses": ["127.0.0.1"], "delay_s": 0}}``; no addresses means
that the look-up fails. It is read for each look-up, and each look-up is written down beside it.
"""

import asyncio
import json
import socket
from pathlib import Path

from aiohttp.abc import AbstractResolver, ResolveResult


class FileResolver(AbstractResolver):
    """Answers from ``file``; appends what it answered to ``file`` + ``.log``."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @classmethod
    def reading(cls, file: Path) -> type[AbstractResolver]:
        """Return a resolver class that takes aiohttp's arguments and reads ``file``."""

        class Reading(cls):  # type: ignore[misc, valid-type]
            def __init__(self, *_: object, **__: object) -> None:
                super().__init__(file)

        return Reading

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - the addresses say it
    ) -> list[ResolveResult]:
        told = json.loads(await asyncio.to_thread(self._file.read_text))[host]
        await asyncio.sleep(told.get("delay_s", 0))
        addresses: list[str] = told["addresses"]
        with self._file.with_suffix(".log").open("a") as log:
            log.write(f"{host} {','.join(addresses) or 'fails'}\n")
        if not addresses:
            raise OSError(socket.EAI_NONAME, "Name or service not known")
        return [_result(host, port, one) for one in addresses]

    async def close(self) -> None:
        """Nothing to close."""


def _result(host: str, port: int, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST,
    )
