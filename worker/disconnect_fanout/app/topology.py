"""What this installation is called at the broker, and what it takes from there."""

from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.domain.connection import CONNECT_TYPE
from disconnect_fanout.domain.event import EVENT_TYPE


def topology_of(settings: Settings) -> Topology:
    """Return the names at the broker."""
    keys = (EVENT_TYPE, CONNECT_TYPE) if settings.learns_links else (EVENT_TYPE,)
    return Topology(settings.exchange, settings.prefix, keys)
