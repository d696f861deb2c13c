"""The API killed in the middle of requests, the broker away meanwhile."""

from pathlib import Path

from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.api_crash_scene import requests_through_crashes
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.installation import Installation


async def test_what_answered_200_is_told_and_what_changed_nothing_is_not(
    own_rabbitmq: PrivateRabbitMQ, sqlite_url: str, tmp_path: Path
) -> None:
    """150 requests, four kills; a thousand of them on both databases are in the soak."""
    installation = Installation(Vhost(own_rabbitmq.url), sqlite_url, tmp_path)
    await installation.migrate()
    await own_rabbitmq.flush_names()
    await requests_through_crashes(installation, own_rabbitmq, 150)


async def test_sigterm_leaves_in_order(installation: Installation) -> None:
    """Exit code 0, and what it wrote holds no traceback."""
    async with ApiProcess(installation.settings, installation.folder) as api:
        assert (await api.ask("GET", "/openapi.json")).json()["openapi"].startswith("3.")
        assert await api.sigterm() == 0
        assert "Traceback" not in api.stderr
