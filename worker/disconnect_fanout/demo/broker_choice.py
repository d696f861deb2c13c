"""Which RabbitMQ to use on this machine: the decision alone."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine offers.

    Attributes:
        amqp_url: ``FANOUT_AMQP_URL``, if set.
        server: A ``rabbitmq-server`` that can be run as a child, if there is one.
        can_install: Whether packages can be installed (Debian, as root).
        docker: Whether a Docker daemon answers.
        system: The kernel's name, as ``platform.system()`` has it.
    """

    amqp_url: str | None
    server: Path | None
    can_install: bool
    docker: bool
    system: str


@dataclass(frozen=True, slots=True)
class Given:
    """A broker that somebody else runs."""

    url: str


@dataclass(frozen=True, slots=True)
class PrivateChild:
    """The server of this machine, as a private child process."""

    server: Path


@dataclass(frozen=True, slots=True)
class InstallFirst:
    """As a private child process, once it is installed."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container, published on loopback."""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """There is no way.

    Attributes:
        advice: What to do about it.
    """

    advice: str


BrokerChoice = Given | PrivateChild | InstallFirst | Container | Nowhere

_APT = "sudo apt-get install --no-install-recommends rabbitmq-server"


def choose_broker(machine: Machine) -> BrokerChoice:
    """Choose by what is cheapest and closest to what the user said (CONTRACT.md, section 8)."""
    if machine.amqp_url:
        return Given(machine.amqp_url)
    if machine.server is not None:
        return PrivateChild(machine.server)
    if machine.can_install:
        return InstallFirst()
    if machine.docker:
        return Container()
    return Nowhere(advice(machine.system))


def advice(system: str) -> str:
    """Say how a person gets a RabbitMQ on a machine with this kernel."""
    install = "brew install rabbitmq" if system == "Darwin" else _APT
    return f"no RabbitMQ here: {install}, or start Docker, or set FANOUT_AMQP_URL to one that runs"
