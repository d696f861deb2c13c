"""The private RabbitMQ of the demo, with what only tests do to it."""

from disconnect_fanout.demo.rabbitmq import PrivateRabbitMQ as DemoRabbitMQ


class PrivateRabbitMQ(DemoRabbitMQ):
    """One that can be killed in the middle, and started again on what was on its disk."""

    @property
    def pid(self) -> int:
        """The server's process; what it does is done by its descendants."""
        return self._broker.pid

    async def crash(self) -> None:
        """Kill it as a power cut would; ``restart`` brings it back with what was on its disk."""
        await self._broker.kill()

    async def restart(self) -> None:
        """Start it again on the same folder and ports, ending it in order first if it runs."""
        await self._broker.stop()
        await self.start()

    async def flush_names(self) -> None:
        """Write the names of what was just declared to the disk.

        A node flushes its table of queue names a while after the declaration. One killed before
        that comes back without the queue, and so without messages that it had confirmed.
        """
        await self.eval("[dets:sync(Table) || Table <- dets:all()].")
