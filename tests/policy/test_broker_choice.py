"""Which RabbitMQ the demo takes."""

from dataclasses import replace
from pathlib import Path

import pytest

from disconnect_fanout.demo.broker_choice import (
    BrokerChoice,
    Container,
    Given,
    InstallFirst,
    Machine,
    Nowhere,
    PrivateChild,
    choose_broker,
)

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EVERYTHING = Machine("amqp://mine/", SERVER, can_install=True, docker=True, system="Linux")
NOT_GIVEN = replace(EVERYTHING, amqp_url=None)
NOT_INSTALLED = replace(NOT_GIVEN, server=None)
NOT_INSTALLABLE = replace(NOT_INSTALLED, can_install=False)
NOTHING = replace(NOT_INSTALLABLE, docker=False)


@pytest.mark.parametrize(
    ("machine", "choice"),
    [
        (EVERYTHING, Given("amqp://mine/")),
        (NOT_GIVEN, PrivateChild(SERVER)),
        (replace(EVERYTHING, amqp_url=""), PrivateChild(SERVER)),
        (NOT_INSTALLED, InstallFirst()),
        (NOT_INSTALLABLE, Container()),
    ],
    ids=["given", "on the machine", "an empty URL is none", "Debian as root", "Docker"],
)
def test_the_closest_broker_is_taken(machine: Machine, choice: BrokerChoice) -> None:
    """What the user names, then what is here, then what can be had: CONTRACT.md, section 8."""
    assert choose_broker(machine) == choice


@pytest.mark.parametrize(
    ("system", "command"),
    [("Darwin", "brew install rabbitmq"), ("Linux", "sudo apt-get install")],
)
def test_without_a_way_it_says_what_to_do(system: str, command: str) -> None:
    """The command for this system, and the two other ways."""
    choice = choose_broker(replace(NOTHING, system=system))
    assert isinstance(choice, Nowhere)
    assert command in choice.advice
    assert "Docker" in choice.advice
    assert "FANOUT_AMQP_URL" in choice.advice
