"""An outage as a caller of the API meets it: waited out for a moment, else said to be one."""

import pytest

from disconnect_fanout.api.outage import tried_again
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses, StoreUnreachable


class Store:
    """Fails as it is given, then answers; counts how often it was asked."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.asked = 0

    async def ask(self) -> str:
        """Answer, or fail once more."""
        self.asked += 1
        if self._failures:
            raise self._failures.pop(0)
        return "done"


def perhaps_done() -> StoreUnreachable:
    """The COMMIT was sent, and its answer did not come."""
    error = StoreUnreachable("cut")
    error.maybe_done = True
    return error


@pytest.mark.parametrize("known", [True, False])
async def test_what_surely_did_nothing_is_tried_again(*, known: bool) -> None:
    """A cut of all connections is nobody's error."""
    store = Store(StoreUnreachable("cut"), StoreUnreachable("cut"))
    assert await tried_again(store.ask, known=known) == "done"
    assert store.asked == 3


async def test_what_was_perhaps_done_is_tried_again_if_it_is_known() -> None:
    """The store answers the second one as it answered the first."""
    store = Store(perhaps_done())
    assert await tried_again(store.ask, known=True) == "done"
    assert store.asked == 2


async def test_what_was_perhaps_done_and_is_not_known_is_left_to_the_caller() -> None:
    """Asked again, it would say that there is nothing to end."""
    store = Store(perhaps_done())
    with pytest.raises(StoreUnreachable):
        await tried_again(store.ask, known=False)
    assert store.asked == 1


@pytest.mark.parametrize("known", [True, False])
async def test_an_outage_that_lasts_is_one(*, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time, not after a number of tries."""
    monkeypatch.setattr("disconnect_fanout.api.outage.WITHIN_S", 0.3)
    store = Store(*(StoreUnreachable("away") for _ in range(50)))
    with pytest.raises(StoreUnreachable, match="no answer within"):
        await tried_again(store.ask, known=known)
    assert 1 < store.asked < 10


@pytest.mark.parametrize("sqlstate", ["23514", "22001", "23505", ""])
@pytest.mark.parametrize("known", [True, False])
async def test_data_that_the_database_refuses_is_an_outage_at_once(
    *, sqlstate: str, known: bool
) -> None:
    """503 and not 500: the caller named a user, and the row that is refused is ours."""
    store = Store(DataRefused("a constraint refuses it", sqlstate))
    with pytest.raises(StoreRefuses, match="a constraint refuses it") as raised:
        await tried_again(store.ask, known=known)
    assert raised.value.sqlstate == sqlstate
    assert store.asked == 1
