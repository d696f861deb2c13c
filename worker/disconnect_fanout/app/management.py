"""The management API that the settings name, or that is beside the broker."""

from disconnect_fanout.adapters.broker.management import Management
from disconnect_fanout.adapters.broker.management_place import place_of
from disconnect_fanout.app.settings import Settings

OFF = "off"


def management_of(settings: Settings) -> Management | None:
    """Return what asks it; None if that is turned off."""
    given = settings.management_url
    url = None if given is None else given.get_secret_value()
    if url == OFF:
        return None
    return Management(place_of(settings.amqp_url.get_secret_value(), url))
