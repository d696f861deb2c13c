"""Three RabbitMQ nodes on loopback that make one cluster, behind what a load balancer does."""

import json
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.proxy import Proxy
from tests.harness.servers.rabbitmq import PrivateRabbitMQ

from disconnect_fanout.demo.child_process import free_ports
from disconnect_fanout.demo.rabbitmq import speaks_amqp

NAMES = ("one@localhost", "two@localhost", "three@localhost")


class ClusterNode(PrivateRabbitMQ):
    """One of the three. They share a cookie and the name server of the first.

    Args:
        epmd_port: where the name server listens.
        first: it starts the name server.
    """

    def __init__(
        self, server: Path, name: str, cookie: str, epmd_port: int, *, first: bool
    ) -> None:
        super().__init__(server)
        self.name = name
        self._cookie = cookie
        self._first = first
        self._env.update(RABBITMQ_NODENAME=name, ERL_EPMD_PORT=str(epmd_port))
        if first:
            how = ("-address", "127.0.0.1", "-relaxed_command_check")
            self._epmd = self._child(["epmd", "-port", str(epmd_port), *how])

    @property
    def port(self) -> int:
        """Where it speaks AMQP."""
        return self._port

    async def start(self) -> None:
        """Start; the first time it waits for the others to be found, and joins them."""
        if not (self.folder / "rabbitmq.conf").exists():
            self._prepare()
        if self._first and not self._epmd.running:
            self._epmd.start()
        self._broker.start()
        await self.answers()

    async def answers(self) -> None:
        """Wait until it speaks AMQP."""
        await self._broker.wait_until(lambda: speaks_amqp(self._port), within=90)

    def _prepare(self) -> None:
        super()._prepare()
        cookie = self.folder / ".erlang.cookie"
        cookie.unlink()
        cookie.write_text(self._cookie)
        cookie.chmod(0o400)
        peers = [
            f"cluster_formation.classic_config.nodes.{number} = {name}\n"
            for number, name in enumerate(NAMES, 1)
        ]
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write("cluster_formation.peer_discovery_backend = classic_config\n")
            file.writelines(peers)


class Cluster:
    """Three nodes; ``url`` leads to one that takes connections."""

    def __init__(self, server: Path) -> None:
        cookie, (epmd,) = secrets.token_hex(16), free_ports(1)
        self.nodes = [
            ClusterNode(server, name, cookie, epmd, first=name == NAMES[0]) for name in NAMES
        ]
        self._wire = Proxy(*(node.port for node in self.nodes))
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """The AMQP URL of the default vhost, at whichever node answers."""
        return f"amqp://guest:guest@127.0.0.1:{self._wire.port}/"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._wire)
            for node in self.nodes:
                await stack.enter_async_context(node)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def members(self) -> int:
        """Return how many nodes run, as the last one sees it."""
        said = await self.nodes[-1].rabbitmqctl("cluster_status", "--formatter", "json")
        return len(json.loads(said)["running_nodes"])

    async def leader_of(self, queue: str, *, asked: ClusterNode | None = None) -> ClusterNode:
        """Return the node that leads a quorum queue, as the asked one or the first sees it."""
        node = asked or self.nodes[0]
        said = await node.rabbitmqctl("list_queues", "name", "leader", "--formatter", "json")
        leads = {one["name"]: one["leader"] for one in json.loads(said)}
        return next(one for one in self.nodes if one.name == leads[queue])
