"""A place at the broker that one test has for itself."""

from dataclasses import dataclass
from itertools import count

from tests.harness.servers.rabbitmq import PrivateRabbitMQ

_AT_ONCE = 8  # rabbitmqctl takes 0.3 s however many vhosts it makes
_MAKE = """[begin
  Name = iolist_to_binary(io_lib:format("test-~b", [Number])),
  ok = rabbit_vhost:add(Name, <<"tests">>),
  ok = rabbit_auth_backend_internal:set_permissions(
    <<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)
end || Number <- lists:seq({first}, {last})]."""


@dataclass(frozen=True, slots=True)
class Vhost:
    """Where a test's worker lives at the broker, and what its queues are called.

    Attributes:
        url: The AMQP URL, vhost included.
        prefix: ``FANOUT_PREFIX``.
        exchange: ``FANOUT_EXCHANGE``.
    """

    url: str
    prefix: str = "fanout"
    exchange: str = "calendar.events"

    @property
    def settings(self) -> dict[str, str]:
        """The ``FANOUT_*`` variables that send a worker here."""
        return {
            "FANOUT_AMQP_URL": self.url,
            "FANOUT_PREFIX": self.prefix,
            "FANOUT_EXCHANGE": self.exchange,
        }

    def queue(self, name: str) -> str:
        """The full name of the queue ``events``, ``dead`` or ``rejected``."""
        return f"{self.prefix}.{name}"


class Vhosts:
    """Fresh vhosts of a private broker, made several at once."""

    def __init__(self, broker: PrivateRabbitMQ) -> None:
        self._broker = broker
        self._numbers = count(1)
        self._made: list[str] = []

    async def fresh(self) -> Vhost:
        """Return a vhost that nobody had before."""
        if not self._made:
            numbers = [next(self._numbers) for _ in range(_AT_ONCE)]
            make = _MAKE.format(first=numbers[0], last=numbers[-1])
            await self._broker.eval(make)
            self._made = [f"test-{number}" for number in reversed(numbers)]
        return Vhost(f"{self._broker.base_url}/{self._made.pop()}")
