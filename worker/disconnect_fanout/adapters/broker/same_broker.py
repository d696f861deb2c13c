"""Whether the management API speaks of the broker that we are connected to.

Its place is a guess where none is configured, and several brokers may share a machine.
"""

from aio_pika.abc import AbstractConnection

from disconnect_fanout.adapters.broker.management import Management, Unanswered


def cluster_of(connection: AbstractConnection) -> str | None:
    """Return the name of the cluster that an AMQP connection leads to, where it was said."""
    if connection.transport is None:
        return None
    name = connection.transport.connection.server_properties.get("cluster_name")
    return None if name is None else str(name)


async def same_broker(connection: AbstractConnection, management: Management) -> str | None:
    """Return None if it is the same, else what is wrong, in plain words."""
    return another(cluster_of(connection), await management.cluster())


def another(ours: str | None, theirs: str | Unanswered) -> str | None:
    """Return what is wrong with whoever answers, in plain words."""
    if isinstance(theirs, Unanswered):
        return theirs.why
    if ours is not None and theirs != ours:
        return f"that is cluster {theirs}, and not {ours}"
    return None
