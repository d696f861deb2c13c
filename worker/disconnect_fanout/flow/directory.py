"""The platforms as this worker knows them: refreshed every second, and at once when surprised."""

from collections.abc import Callable, Mapping, Sequence
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
        self.on_change: Callable[[str], None] = lambda _platform_id: None
        """Told a platform that is new, gone, registered anew, or of another URL or secret."""

    @property
    def platforms(self) -> Mapping[str, Platform]:
        """The snapshot, by id."""
        return self._platforms

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Ids of platforms whose secret does not decrypt; their deliveries wait."""
        return tuple(one.id for one in self._platforms.values() if not one.keys and not one.flaw)

    @property
    def flawed(self) -> tuple[str, ...]:
        """Platforms whose row can't be used, each with what is wrong; their deliveries wait."""
        asked = (one for one in self._platforms.values() if one.enabled)
        return tuple(f"{one.id}: {one.flaw}" for one in asked if one.flaw)

    async def refresh(self) -> None:
        """Read them anew; changes made by a command act within seconds."""
        platforms = {one.id: one for one in await self._source.platforms()}
        before, self._platforms = self._platforms, platforms
        for platform_id in before.keys() | platforms.keys():
            if _revision(before, platform_id) != _revision(platforms, platform_id):
                self.on_change(platform_id)


def _revision(platforms: Mapping[str, Platform], platform_id: str) -> int | None:
    platform = platforms.get(platform_id)
    return platform.revision if platform is not None else None
