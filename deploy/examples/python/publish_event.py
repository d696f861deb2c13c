"""Publish a disconnect event from Python: ``AMQP_URL=… python publish_event.py EMAIL [GOOGLE_ID]``.

Needs ``pip install disconnect-fanout``; of it only ``disconnect_events`` is imported. In a service
make one publisher when it starts, and share it.
"""

import asyncio
import os
import sys
import uuid
from datetime import UTC, datetime

from disconnect_events import DisconnectDataV1, DisconnectEventV1, DisconnectPublisher


async def main(email: str, google_id: str | None = None) -> None:
    """Publish one event and print its id."""
    now = datetime.now(UTC)
    event = DisconnectEventV1(
        # Keep the id with the change that it tells of: publish again under the same one after a
        # failure, and the platforms are still told once.
        id=f"evt_{uuid.uuid4().hex}",
        event_type="user.calendar.disconnected",
        timestamp=now,
        api_version="v1",
        data=DisconnectDataV1(
            user_email=email,
            google_id=google_id,
            disconnected_at=now,
            reason="user_requested",
        ),
    )
    async with DisconnectPublisher(os.environ["AMQP_URL"]) as publisher:
        await publisher.publish(event)  # returns when a queue has it on its disk, or raises
    print(event.id)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
