"""The platforms of a comparison: they say 200 at once, and judge afterwards what they got.

``python -m tests.bench.side_by_side.platforms 3`` prints three ports, then takes words:
``until COUNT`` answers once so many requests came, or none for ten seconds, with their number;
``judge`` takes the platforms' secrets (JSON), answers with what was wrong, and forgets all;
``forget`` does that alone.
"""

import asyncio
import hmac
import json
import re
import sys
from base64 import b64decode, b64encode

from tests.bench.http_wire import OK, Respond, open_ports

_SILENCE_S = 10.0
_HEADER = re.compile(rb"(webhook-[a-z]+): *([^\r]+)", re.IGNORECASE)


class Platforms:
    """Keeps heads and bodies, by platform."""

    def __init__(self, count: int) -> None:
        self.kept: list[list[tuple[bytes, bytes]]] = [[] for _ in range(count)]

    def respond(self, index: int) -> Respond:
        """Return what one platform does with a request."""
        kept = self.kept[index]

        def answer(head: bytes, body: bytes) -> bytes:
            kept.append((head, body))
            return OK

        return answer

    @property
    def count(self) -> int:
        """Requests so far."""
        return sum(map(len, self.kept))

    async def until(self, count: int) -> str:
        """Wait for so many, as long as any come."""
        loop = asyncio.get_running_loop()
        seen, at = -1, loop.time()
        while self.count < count and loop.time() - at < _SILENCE_S:
            if self.count != seen:
                seen, at = self.count, loop.time()
            await asyncio.sleep(0.002)
        return str(self.count)

    def judge(self, secrets: list[str]) -> str:
        """Return, as JSON, how many events each platform heard of, and how many marks are wrong."""
        keys = [b64decode(one) for one in secrets]
        events = [{json.loads(body)["id"] for _, body in kept} for kept in self.kept]
        wrong = sum(
            not _signed(key, head, body)
            for key, kept in zip(keys, self.kept, strict=True)
            for head, body in kept
        )
        self.forget()
        return json.dumps({"events": [len(one) for one in events], "wrong": wrong})

    def forget(self) -> str:
        """Forget all."""
        for kept in self.kept:
            kept.clear()
        return "forgotten"


def _signed(key: bytes, head: bytes, body: bytes) -> bool:
    said = {name.lower(): value for name, value in _HEADER.findall(head)}
    content = b".".join((said[b"webhook-id"], said[b"webhook-timestamp"], body))
    mark = b"v1," + b64encode(hmac.digest(key, content, "sha256"))
    return bool(mark == said[b"webhook-signature"])


async def main(count: int) -> None:
    """Serve, and do as told until the input ends."""
    platforms = Platforms(count)
    servers = await open_ports([platforms.respond(index) for index in range(count)])
    while line := await asyncio.to_thread(sys.stdin.readline):
        word, _, rest = line.partition(" ")
        match word.strip():
            case "until":
                said = await platforms.until(int(rest))
            case "judge":
                said = platforms.judge(json.loads(rest))
            case _:
                said = platforms.forget()
        sys.stdout.write(said + "\n")
        sys.stdout.flush()
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
