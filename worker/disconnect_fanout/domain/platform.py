"""A platform: who is notified, where, signed with what, and how hard it may be pressed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

UNREGISTERED = "unknown"
"""What logs and metrics call an id that is not registered: it comes from outside, in any words."""

Signer = Callable[[bytes], bytes]
"""Takes the content to sign, returns the raw signature."""


class Scheme(StrEnum):
    """How webhooks to a platform are signed. A closed set."""

    STANDARD = "standard"
    STANDARD_ED25519 = "standard-ed25519"
    CAL = "cal"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One active secret, ready to sign.

    Attributes:
        sign: the Standard Webhooks signature over ``id.timestamp.body``.
        sign_body: the same secret's signature over the bare body, which the ``cal`` scheme adds.
    """

    sign: Signer = field(repr=False)
    sign_body: Signer = field(repr=False)


@dataclass(frozen=True, slots=True)
class Platform:
    """One receiving platform as a worker sees it.

    Attributes:
        keys: active secrets, the oldest first; more than one during a rotation.
        revision: grows with each change of URL or secret, so that a late 410 from the old
            endpoint does not disable the new one.
        timeout_s: for the whole exchange, seconds.
        max_in_flight: requests at once from one worker, or None for the worker's default.
        rate_per_s: requests a second from one worker, or None for no limit.
        flaw: what makes its row unusable, in plain words, or None; it has no keys then, and its
            deliveries wait.
        authority: PEM of the only certificate authority that is trusted for it, or None for those
            that this machine trusts.
    """

    id: str
    name: str
    url: str = field(repr=False)
    scheme: Scheme
    keys: tuple[SigningKey, ...] = field(repr=False)
    revision: int
    timeout_s: float
    max_in_flight: int | None = None
    rate_per_s: float | None = None
    authority: str | None = field(default=None, repr=False)
    enabled: bool = True
    paused: bool = False
    flaw: str | None = None
