"""Whatever fails without a word of its own: logs, ``check`` and commands still say something."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
import typer
from sqlalchemy.exc import OperationalError

from disconnect_fanout.adapters.broker import connection
from disconnect_fanout.adapters.store import driver_error
from disconnect_fanout.cli.failure import failure
from disconnect_fanout.cli.screen.standard_output import Unwritable
from disconnect_fanout.flow.outage import (
    BrokerUnreachable,
    DataRefused,
    OutOfMeans,
    StoreRefuses,
    StoreUnreachable,
)

SILENT = (
    TimeoutError(),
    OSError(),
    OSError(None, None),
    ConnectionResetError(),
    BrokenPipeError(),
    ConnectionRefusedError(),
    MemoryError(),
)
BORDERS: dict[str, tuple[Callable[[], AbstractAsyncContextManager[None]], type[Exception]]] = {
    "store": (driver_error.named_errors, StoreUnreachable),
    "broker": (connection.named_errors, BrokerUnreachable),
}


def wordless(line: str) -> bool:
    """Tell whether a line ends where its reason should stand."""
    return not line.strip() or line.rstrip().endswith((":", "None", "()"))


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("error", SILENT, ids=repr)
async def test_at_both_borders_an_outage_has_a_reason(border: str, error: Exception) -> None:
    """A driver's time-out or a reset says nothing; what is made of it does, up to the command."""
    named, kind = BORDERS[border]
    with pytest.raises(kind) as caught:
        async with named():
            raise error
    assert not wordless(str(caught.value))
    _, lines = failure(caught.value) or (0, [""])
    assert not any(map(wordless, lines))


async def test_a_driver_whose_error_is_silent_has_one_too() -> None:
    """SQLAlchemy wraps what the driver raised; what was asked stays out of it."""
    for silent in (TimeoutError(), ConnectionResetError(), OSError()):
        with pytest.raises(StoreUnreachable) as caught:
            async with driver_error.named_errors():
                raise OperationalError("SELECT secret", {}, silent)
        assert not wordless(str(caught.value))
        assert "secret" not in str(caught.value)


async def test_a_broker_that_gives_a_connection_up_is_no_ctrl_c() -> None:
    """Its client cancels what waits, and nobody asked for that."""
    with pytest.raises(BrokerUnreachable, match="no heartbeat"):
        async with connection.named_errors():
            raise asyncio.CancelledError


@pytest.mark.parametrize(
    "kind", [StoreUnreachable, StoreRefuses, DataRefused, BrokerUnreachable, OutOfMeans, Unwritable]
)
@pytest.mark.parametrize("words", ["", " ", "\n"])
def test_a_command_never_fails_without_a_reason(kind: type[Exception], words: str) -> None:
    """Nor with the one of another failure: only what was interrupted says so."""
    _, lines = failure(kind(words)) or (0, [""])
    assert not any(map(wordless, lines))
    assert "interrupted" not in "".join(lines)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()], ids=repr)
def test_ctrl_c_is_called_interrupted(error: BaseException) -> None:
    """And ends with 130."""
    assert failure(error) == (130, ["interrupted"])
