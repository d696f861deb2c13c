"""The platforms as this worker knows them: refreshed every second, and at once when surprised."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from disconnect_fanout.domain.platform import Platform

Changed: TypeAlias = Callable[[str, Platform | None], None]


def _nobody(_platform_id: str, _platform: Platform | None) -> None:
    """Hears nothing."""


class PlatformSource(Protocol):
    """Where platforms are registered."""

    async def platforms(self) -> Sequence[Platform]:
        """Return all of them, secrets decrypted; one whose secret does not decrypt has no keys."""
        ...


class Directory:
    """A snapshot of the registered platforms.

    Args:
        changed: takes a platform that is new, registered anew, of another URL or secret, or gone.
    """

    def __init__(self, source: PlatformSource, changed: Changed = _nobody) -> None:
        self._source = source
        self._changed = changed
        self._platforms: Mapping[str, Platform] = {}

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
                self._changed(platform_id, platforms.get(platform_id))


def _revision(platforms: Mapping[str, Platform], platform_id: str) -> int | None:
    platform = platforms.get(platform_id)
    return platform.revision if platform is not None else None
