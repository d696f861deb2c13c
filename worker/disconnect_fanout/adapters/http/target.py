"""Where a platform's webhooks go: its URL, taken apart once, byte for byte as it was registered."""

import re
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from yarl import URL

from disconnect_fanout.flow.webhook import WebhookRequest

_AFTER_THE_HOST = re.compile(r"[^:/?#]+://[^/?#]*([^#]*)")
_NOT_SENDABLE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Target:
    """A platform's end of the wire.

    Attributes:
        origin: scheme, host and port; nothing that may be secret.
        head: the request line, and the headers that all requests share.
    """

    origin: URL
    head: str

    def write(self, request: WebhookRequest) -> bytes:
        """Return the bytes of a request.

        Raises:
            ValueError: a header would end early.
        """
        fields = "".join([f"{name}: {value}\r\n" for name, value in request.headers.items()])
        lines = len(request.headers)
        if fields.count("\n") != lines or fields.count("\r") != lines or "\0" in fields:
            raise ValueError("a header holds a line break")
        last = "Connection: close\r\n" if request.fresh else ""
        head = f"{self.head}{fields}{last}Content-Length: {len(request.body)}\r\n\r\n"
        return head.encode() + request.body


def target_of(url: str, user_agent: str) -> Target:
    """Take a URL apart.

    Raises:
        aiohttp.InvalidURL: it leads nowhere; the error does not hold it.
    """
    try:
        origin = URL(url, encoded=True).origin()
    except ValueError:
        raise aiohttp.InvalidURL("") from None
    rest = _AFTER_THE_HOST.match(url)
    if rest is None or origin.scheme not in ("http", "https"):
        raise aiohttp.InvalidURL("")
    # yarl loses the question mark of an empty query, so the target is cut out of what was given
    path = _NOT_SENDABLE.sub(lambda one: quote(one[0]), rest[1])
    path = path if path.startswith("/") else f"/{path}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {origin.host_port_subcomponent}\r\n"
        f"user-agent: {user_agent}\r\nAccept: */*\r\naccept-encoding: identity\r\n"
    )
    return Target(origin, head)
