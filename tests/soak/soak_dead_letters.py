"""100,000 dead letters among 1,000,000 deliveries: an operator's first three commands are quick."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
from tests.harness.worker.command import fanout
from tests.soak.long_history import write_history

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.migration.migrate import migrate

DELIVERIES, DEAD = 1_000_000, 100_000
MOST_S = 1.0
RUNS = 5


async def seconds_of(settings: dict[str, str], folder: Path, *args: str) -> float:
    """Return the seconds from a command's start to its end, the median of a few."""
    times = []
    for _ in range(RUNS):
        began = time.monotonic()
        result = await fanout(settings, *args, "-o", "json", folder=folder)
        times.append(time.monotonic() - began)
        assert result.exit_code == 0, result.stderr
    return median(times)


@pytest.mark.timeout(900)
async def test_looking_into_a_million_deliveries_takes_no_second(
    database_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Wall time of the whole command, the start of its process included."""
    key = new_key()
    await migrate(database_url, Vault([key]))
    await write_history(database_url, Vault([key]), deliveries=DELIVERIES, dead=DEAD)
    settings = {"FANOUT_DATABASE_URL": database_url, "FANOUT_SECRET_KEY": key}
    start = await seconds_of(settings, tmp_path, "audit", "list")
    took = {
        command: await seconds_of(settings, tmp_path, *command.split())
        for command in ("dlq list", "dlq groups", "dlq stats")
    }
    for command, seconds in {"(nothing: audit list)": start, **took}.items():
        record_property(command, seconds)
        print(f"{command:24} {seconds:.3f} s")  # noqa: T201 - what a soak is run for
    assert max(took.values()) < MOST_S
