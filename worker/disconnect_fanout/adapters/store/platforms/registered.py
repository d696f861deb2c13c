"""A platform as its operator sees it: what was registered, and how it stands. No secrets."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from disconnect_fanout.adapters.store.platforms.census import Census
from disconnect_fanout.domain.instant import from_ms, maybe_from_ms
from disconnect_fanout.domain.platform import Scheme


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new platform is registered with.

    Attributes:
        timeout_s: None for the worker's default; likewise the cap and the rate.
        authority: PEM of the only certificate authority to trust; None for this machine's.
    """

    id: str
    name: str
    url: str
    scheme: Scheme
    secret: str = field(repr=False)
    timeout_s: float | None = None
    max_in_flight: int | None = None
    rate_per_s: float | None = None
    authority: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PlatformChange:
    """What changes about a platform; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    timeout_s: float | None = None
    max_in_flight: int | None = None
    rate_per_s: float | None = None
    authority: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RegisteredPlatform:
    """One row of ``platforms list``, with counts.

    Attributes:
        scheme: one that a newer version knows is shown as it is.
        state: ``active``, ``paused`` or ``disabled``.
        disabled_by: the delivery whose 410 did it, None if an operator did.
        old_secret_until: during a rotation, until when the old secret signs too.
        own_authority: whether only a certificate authority of its own is trusted for it.
        links: that hold now.
        pending: deliveries that are not settled.
        dead_letters: that are open.
        open_breakers: workers that send nothing to it for a while, because it only holds slots.
    """

    id: str
    name: str
    url: str
    scheme: str
    state: str
    enabled: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    disabled_by: str | None
    paused_at: datetime | None
    timeout_s: float | None
    max_in_flight: int | None
    rate_per_s: float | None
    own_authority: bool
    revision: int
    old_secret_until: datetime | None
    links: int
    pending: int
    dead_letters: int
    open_breakers: int
    created_at: datetime
    updated_at: datetime


SHOWN = (
    "name", "url", "scheme", "enabled", "disabled_reason", "disabled_at", "disabled_by",
    "paused_at", "old_secret_until", "created_at", "updated_at",
)  # fmt: skip
"""What a row must hold to be shown; what only keeps it from being asked is shown as it is."""


def registered(row: Row[Any], census: Census) -> RegisteredPlatform:
    """Read a row of the table ``platforms``."""
    return RegisteredPlatform(
        id=row.id,
        name=row.name,
        url=row.url,
        scheme=row.scheme,
        state=_state(row),
        enabled=row.enabled,
        disabled_reason=row.disabled_reason,
        disabled_at=maybe_from_ms(row.disabled_at),
        disabled_by=row.disabled_by,
        paused_at=maybe_from_ms(row.paused_at),
        timeout_s=row.timeout_s,
        max_in_flight=row.max_in_flight,
        rate_per_s=row.rate_per_s,
        own_authority=row.authority is not None,
        revision=row.revision,
        old_secret_until=maybe_from_ms(row.old_secret_until),
        links=census.links,
        pending=census.pending,
        dead_letters=census.dead_letters,
        open_breakers=census.open_breakers,
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def _state(row: Row[Any]) -> str:
    if not row.enabled:
        return "disabled"
    return "active" if row.paused_at is None else "paused"
