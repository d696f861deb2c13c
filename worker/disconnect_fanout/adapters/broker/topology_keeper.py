"""The topology keeper: puts back what somebody has removed at the broker, and says so.

An exchange and a queue are seen by AMQP. A binding is not (decision 0031): where the management API
answers it is looked at before it is put back, else it is put back unseen.
"""

import asyncio
import time
from collections.abc import Callable

from aio_pika.abc import AbstractConnection

from disconnect_fanout.adapters.broker.management import Absent, Management, Unanswered
from disconnect_fanout.adapters.broker.same_broker import another, cluster_of
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.adapters.broker.topology_conflict import TopologyConflict
from disconnect_fanout.flow.fact import Observe, TopologyRestored
from disconnect_fanout.flow.outage import BrokerUnreachable

LOOK_WITHIN_S = 1.0
_LONGEST_REST_S = 60.0


class TopologyKeeper:
    """One worker's.

    Args:
        management: None where it is turned off.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        topology: Topology,
        management: Management | None,
        observe: Observe,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topology = topology
        self._management = management
        self._observe = observe
        self._clock = clock
        self._cluster: str | None = None
        self._known_cluster: str | None = None
        self._gone: tuple[str, ...] = ()
        self._failures = 0
        self._rests_until = 0.0

    async def look(self) -> None:
        """Look whether a binding is gone, in bounded time; of no answer nothing follows.

        A management API that does not answer is asked less and less often, once a minute at last.
        """
        if self._management is None or self._clock() < self._rests_until:
            return
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                found = await self._keys(self._management)
        except TimeoutError:
            found = Unanswered("no answer in time")
        if isinstance(found, Unanswered):
            self._failures += 1
            rest_s = min(2.0**self._failures, _LONGEST_REST_S)
            self._rests_until = self._clock() + rest_s
            self._known_cluster = None
            return
        self._failures = 0
        self._gone = tuple(key for key in self._topology.keys if key not in found)

    async def keep(self, connection: AbstractConnection) -> None:
        """Declare everything, and say what was gone.

        Raises:
            BrokerUnreachable: no answer, or it can't be put back; says the way out.
        """
        self._cluster = cluster_of(connection)
        gone, self._gone = self._gone, ()
        try:
            made = await declare(connection, self._topology)
        except TopologyConflict as error:
            raise BrokerUnreachable(str(error)) from error
        self.restored(made, gone)

    def restored(self, made: tuple[str, ...], keys: tuple[str, ...] = ()) -> None:
        """Say what was put back.

        Args:
            made: exchanges and queues, in plain words.
            keys: of bindings that are known to have been gone.
        """
        topology = self._topology
        if {f"exchange {topology.exchange}", f"queue {topology.events_queue}"} & set(made):
            keys = topology.keys  # they went with it
        bindings = tuple(
            f"binding {key} of queue {topology.events_queue} to exchange {topology.exchange}"
            for key in keys
        )
        if made or bindings:
            self._observe(TopologyRestored((*made, *bindings), bindings=len(bindings)))

    async def _keys(self, management: Management) -> frozenset[str] | Unanswered:
        """Return the routing keys that are bound, by the broker that we consume from."""
        if self._known_cluster is None or self._known_cluster != self._cluster:
            cluster = await management.cluster()
            if (problem := another(self._cluster, cluster)) is not None:
                return Unanswered(problem)
            self._known_cluster = self._cluster
        topology = self._topology
        found = await management.bindings(topology.exchange, topology.events_queue)
        return frozenset() if isinstance(found, Absent) else found
