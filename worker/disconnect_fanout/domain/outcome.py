"""What became of one attempt: as the transport saw it, then as the contract reads it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class FailureKind(StrEnum):
    """How a request ended without an answer."""

    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    DISCONNECTED = "disconnected"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Answer:
    """A platform answered.

    Attributes:
        retry_after: the header, verbatim.
        excerpt: the first 1 KiB of the body, for the operator.
        remark: what was wrong behind the head, in plain words; it changes nothing.
    """

    status: int
    retry_after: str | None = None
    excerpt: str = ""
    remark: str | None = None

    @property
    def words(self) -> str:
        """What the operator reads: the excerpt, and before it what was wrong with the rest."""
        if self.remark is None:
            return self.excerpt
        words = f"answered {self.status}; {self.remark}"
        return f"{words}: {self.excerpt}" if self.excerpt else words


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer.

    Attributes:
        detail: plain words for the operator, without URL queries, secrets or addresses of users.
        reused: the request went out on a kept-alive connection, which may just have been stale.
    """

    kind: FailureKind
    detail: str
    reused: bool = False


Exchange: TypeAlias = Answer | Failure


class Shortage(StrEnum):
    """What this machine, or this process, had nothing left of: our own want, nobody's fault."""

    DESCRIPTORS = "descriptors"
    MEMORY = "memory"
    THREADS = "threads"
    PORTS = "ports"

    @property
    def words(self) -> str:
        """What an operator reads."""
        return _SHORT_OF[self]


_SHORT_OF = {
    Shortage.DESCRIPTORS: "out of file descriptors",
    Shortage.MEMORY: "out of memory",
    Shortage.THREADS: "no thread can be started",
    Shortage.PORTS: "no local port is free",
}


@dataclass(frozen=True, slots=True)
class Unable:
    """No request was made, because we could not: no attempt, and nothing about the platform."""

    shortage: Shortage


@dataclass(frozen=True, slots=True)
class Accepted:
    """2xx: the platform knows."""


@dataclass(frozen=True, slots=True)
class Gone:
    """410: the platform says that it will never listen here again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Any other answer, 3xx included: asked to be tried again.

    Attributes:
        wait_s: seconds that a 429 or 503 asked us to wait at least, 0 if it did not.
    """

    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came; whether the platform heard is unknown.

    Attributes:
        stale: the pooled connection was dead, so that a fresh one deserves a try at once.
    """

    stale: bool = False


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The address is one that we must not reach."""


Outcome: TypeAlias = Accepted | Gone | Refused | Unanswered | Forbidden


class Result(StrEnum):
    """One word for an attempt: the label in metrics, ``result`` in the history."""

    DELIVERED = "delivered"
    GONE = "gone"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    DISCONNECTED = "disconnected"
    BLOCKED = "blocked"
    INTERRUPTED = "interrupted"  # a worker ended between sending and recording
