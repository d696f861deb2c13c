"""Publishing events in upstream's place: what the outbox has promised."""

from disconnect_fanout.adapters.broker.codec import encode_event
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.flow.relay import Publish


def publishing_by(publisher: Publisher) -> Publish:
    """Return what publishes an event as upstream would, confirmed."""

    async def publish(event: DisconnectEvent) -> None:
        await publisher.publish_event(encode_event(event), event.id)

    return publish
