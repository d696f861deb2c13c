"""Finding the ``rabbitmq-server`` of this machine, or installing it."""

import os
import platform
import shutil
from pathlib import Path

from disconnect_fanout.demo import debian
from disconnect_fanout.demo.broker_choice import advice

# The package's own start script; the one in /usr/sbin insists on changing the user.
_PACKAGED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_HOMEBREW = ("/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin")
_UNITS = ("rabbitmq-server.service", "epmd.service", "epmd.socket")


class NoBrokerError(RuntimeError):
    """There is no RabbitMQ and no way to get one; the message says what to do."""


def find_server() -> Path | None:
    """Return the ``rabbitmq-server`` of this machine that can be run as a child process."""
    if _PACKAGED.exists():
        return _PACKAGED
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *_HOMEBREW])
    found = shutil.which("rabbitmq-server", path=places)
    return None if found is None else Path(found).resolve()


def ensure_server() -> Path:
    """Return a ``rabbitmq-server``, installing it where that is possible.

    Raises:
        NoBrokerError: There is none, and it cannot be installed from here.
        ChildFailedError: The installation failed.
    """
    found = find_server()
    if found is None and debian.can_install():
        debian.install("rabbitmq-server", units=_UNITS)
        found = find_server()
    if found is None:
        raise NoBrokerError(advice(platform.system()))
    return found
