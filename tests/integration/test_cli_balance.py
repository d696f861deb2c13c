"""``fanout deliveries balance``: what it counts, what it compares, how it ends."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import delete
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost
from tests.harness.store.examples import attempted, registered
from tests.harness.store.examples import dead as dead_letter
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.cli.commands.deliveries import balance as deliveries_balance
from disconnect_fanout.policy.decide import Delivered

LETTER = b"{}"


async def past(world: SqlWorld) -> None:
    """One delivery told, one dead, one waiting."""
    told = await registered(world.worker, "boardy", lease="mine")
    await world.worker.ledger.commit([attempted(told, "mine", Delivered(), platform_id="boardy")])
    await dead_letter(world.worker)
    await registered(world.worker, "cal")


async def loss(world: SqlWorld) -> None:
    """A delivery that is simply gone."""
    async with world.database.record() as connection:
        waits = deliveries.c.platform_id == "cal"
        await connection.execute(delete(deliveries).where(waits))


@pytest.fixture
def auditor(any_operator: Operator, vhost: Vhost, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator with a past and a broker, who does not wait long."""
    monkeypatch.setattr(deliveries_balance, "_SETTLES_WITHIN_S", 0.5)
    any_operator.settings |= vhost.settings
    any_operator.ask("migrate")
    any_operator.arrange(past)
    return any_operator


def put_letter(vhost: Vhost) -> None:
    asyncio.run(amqp.publish(vhost.url, "", vhost.queue("dead"), LETTER))


def balance(operator: Operator) -> tuple[int, Any, str]:
    result = operator.fanout("deliveries", "balance", "-o", "json")
    return result.exit_code, json.loads(result.stdout), result.stderr


def test_a_balance_that_closes_is_exit_0(auditor: Operator, vhost: Vhost) -> None:
    """All five numbers, the queue's depth, and no event that does not close."""
    put_letter(vhost)
    assert balance(auditor) == (
        0,
        {
            "resolved": 3,
            "delivered": 1,
            "dead": 1,
            "discarded": 0,
            "pending": 1,
            "difference": 0,
            "closed": True,
            "dead_queue_depth": 1,
            "events": [],
        },
        "",
    )


def test_a_lost_delivery_is_exit_1_and_names_its_event(auditor: Operator, vhost: Vhost) -> None:
    """Whoever is missing, it is said at which event."""
    put_letter(vhost)
    auditor.arrange(loss)
    code, report, said = balance(auditor)
    assert (code, report["closed"], report["difference"]) == (1, False, 1)
    (event,) = report["events"]
    assert (event["resolved"], event["pending"], event["difference"]) == (1, 0, 1)
    assert event["event_id"].startswith("evt_")
    assert "1 missing" in said


def test_a_letter_that_is_not_in_the_queue_is_exit_1(auditor: Operator) -> None:
    """The numbers close, the dead-letter queue does not: someone may be consuming it."""
    code, report, said = balance(auditor)
    assert (code, report["difference"], report["dead_queue_depth"]) == (1, 0, 0)
    assert "1 open dead letters, but 0 messages" in said


def test_a_letter_that_comes_a_little_later_is_waited_for(
    auditor: Operator, vhost: Vhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queue and rows agree within ten seconds, not at every instant."""
    monkeypatch.setattr(deliveries_balance, "_SETTLES_WITHIN_S", 20.0)

    async def both() -> int:
        asked = asyncio.to_thread(auditor.fanout, "deliveries", "balance")
        asking = asyncio.create_task(asked)
        await amqp.publish(vhost.url, "", vhost.queue("dead"), LETTER)
        return (await asking).exit_code

    assert asyncio.run(both()) == 0


def test_without_a_broker_the_store_is_counted_all_the_same(any_operator: Operator) -> None:
    """Exit 4 says that half of it could not be looked at."""
    any_operator.arrange(past)
    code, report, said = balance(any_operator)
    assert (code, report["difference"], report["dead_queue_depth"]) == (4, 0, None)
    assert "was not counted" in said
