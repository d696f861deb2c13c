"""A thousand requests to an API that is killed four times, with the broker away for a third."""

from pathlib import Path

import pytest
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.api_crash_scene import requests_through_crashes
from tests.harness.worker.installation import Installation


@pytest.mark.timeout(900)
async def test_a_thousand_requests_through_crashes(
    own_rabbitmq: PrivateRabbitMQ, database_url: str, tmp_path: Path
) -> None:
    """What answered 200 is told; what changed nothing is not."""
    installation = Installation(Vhost(own_rabbitmq.url), database_url, tmp_path)
    await installation.migrate()
    await own_rabbitmq.flush_names()
    await requests_through_crashes(installation, own_rabbitmq, 1000)
