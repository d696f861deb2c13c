"""The lock of a SQLite file: held by one, refused by name."""

from pathlib import Path

import pytest

from disconnect_fanout.app.run_lock import AlreadyRunning, RunLock
from disconnect_fanout.flow.outage import StoreUnreachable


def test_a_second_holder_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    """And a name that is only a link to the file leads to the same lock."""
    (tmp_path / "other.db").symlink_to(tmp_path / "fanout.db")
    with (
        RunLock(f"sqlite+aiosqlite:///{tmp_path}/fanout.db"),
        pytest.raises(AlreadyRunning, match=r"fanout\.db\.run\.lock"),
        RunLock(f"sqlite+aiosqlite:///{tmp_path}/other.db"),
    ):
        raise AssertionError("two hold it")
    with RunLock(f"sqlite+aiosqlite:///{tmp_path}/other.db"):
        assert (tmp_path / "fanout.db.run.lock").exists()


def test_a_lock_that_cannot_be_made_has_a_name(tmp_path: Path) -> None:
    """Read-only, or something else is there: words with the path, no bare OSError."""
    (tmp_path / "fanout.db.run.lock").mkdir()
    with (
        pytest.raises(StoreUnreachable, match=r"can't lock .*run\.lock"),
        RunLock(f"sqlite+aiosqlite:///{tmp_path}/fanout.db"),
    ):
        raise AssertionError("held")
