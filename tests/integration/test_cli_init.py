"""``fanout init``: a configuration to start from."""

import stat

from cryptography.fernet import Fernet
from tests.harness.worker.operator import Operator


def key_in(newcomer: Operator) -> str:
    lines = (newcomer.folder / ".env").read_text().splitlines()
    (line,) = [one for one in lines if one.startswith("FANOUT_SECRET_KEY=")]
    return line.partition("=")[2]


def test_init_writes_a_file_that_only_its_owner_reads(newcomer: Operator) -> None:
    """Mode 0600 from the first moment, with a key that works, and the key is not printed."""
    result = newcomer.fanout("init")
    assert result.exit_code == 0
    assert stat.S_IMODE((newcomer.folder / ".env").stat().st_mode) == 0o600
    key = key_in(newcomer)
    Fernet(key)
    assert key not in result.stdout + result.stderr


def test_init_makes_a_configuration_that_is_valid(newcomer: Operator) -> None:
    """What follows finds settings: it complains of the database, not of the configuration."""
    newcomer.fanout("init")
    assert "fanout migrate" in newcomer.refused("platforms", "list", code=3)


def test_each_key_is_another_one(newcomer: Operator) -> None:
    """Two installations do not share a key."""
    newcomer.fanout("init")
    first = key_in(newcomer)
    (newcomer.folder / ".env").unlink()
    newcomer.fanout("init")
    assert key_in(newcomer) != first


def test_init_never_overwrites(newcomer: Operator) -> None:
    """An existing file may hold the only key to a database."""
    (newcomer.folder / ".env").write_text("FANOUT_SECRET_KEY=precious\n")
    assert ".env exists already" in newcomer.refused("init", code=2)
    assert key_in(newcomer) == "precious"
