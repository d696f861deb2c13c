"""How a receiving platform answers one request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.harness.servers.received import Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, and how badly it is given.

    Attributes:
        status: The HTTP status.
        headers: Sent with it, such as ``Retry-After``.
        body: Sent with it.
        delay: Seconds before the first byte.
        hang: Answer only when ``Receiver.release`` is called.
        drip: Seconds between the single bytes of the body; nothing is sent in one piece.
        reset: Answer nothing and reset the connection (a TCP RST).
        flood: Send so many bytes as the body, piece by piece, for as long as anybody reads.
        raw: Send these bytes, which need not be HTTP, and end the connection.
        late: Send these bytes behind the answer, as a gateway that did not wait for its server.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    hang: bool = False
    drip: float | None = None
    reset: bool = False
    flood: int = 0
    raw: bytes | None = None
    late: bytes = b""


HANG = Answer(hang=True)
RESET = Answer(reset=True)

# A list is worked off, and its last entry goes on for ever; a callable decides for each request.
Step = int | Answer
Script = Step | Sequence[Step] | Callable[[Received], Step | Awaitable[Step]]
