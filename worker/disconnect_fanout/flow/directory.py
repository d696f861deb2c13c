"""The platforms as this worker knows them: refreshed every second, and at once when surprised."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from disconnect_fanout.domain.platform import Platform


class PlatformSource(Protocol):
    """Where platforms are registered."""

    async def platforms(self) -> Sequence[Platform]:
        """Return all of them, secrets decrypted; one whose secret does not decrypt has no keys."""
        ...


class Directory:
    """A snapshot of the registered platforms."""

    def __init__(self, source: PlatformSource) -> None:
        self._source = source
        self._platforms: Mapping[str, Platform] = {}

    @property
    def platforms(self) -> Mapping[str, Platform]:
        """The snapshot, by id."""
        return self._platforms

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Ids of platforms whose secret does not decrypt; their deliveries wait."""
        return tuple(one.id for one in self._platforms.values() if not one.keys)

    async def refresh(self) -> None:
        """Read them anew; changes made by a command act within seconds."""
        self._platforms = {one.id: one for one in await self._source.platforms()}
