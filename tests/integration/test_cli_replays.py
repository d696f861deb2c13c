"""``fanout replays`` and ``fanout deliveries replay``: jobs held up, and what is sent again."""

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    RETRY,
    attempted,
    event,
    intent,
    planned,
)
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator
from tests.harness.worker.terminal import interrupted

from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered, Verdict

REPORT = ["job", "state", "selected", "reconnected", "delivered", "failed", "pending"]


async def past(world: SqlWorld) -> None:
    """Luma was told of alice and bob, not of carol, and of dave it will be."""
    await world.add_platform("luma")
    verdicts: dict[str, Verdict] = {
        "alice": Delivered(),
        "bob": Delivered(),
        "carol": EXHAUSTED,
        "dave": RETRY,
    }
    for user, verdict in verdicts.items():
        one = event(f"evt_{user}", f"{user}@example.com", None)
        plan = planned(one, "luma", lease="mine")
        await world.worker.events.register([intent(one, plan)])
        await world.worker.ledger.commit([attempted(plan.id, "mine", verdict)])
    await world.worker.ledger.commit([LetterConfirmed(delivery_id("evt_carol", "luma"), replays=0)])


@pytest.fixture
def operator(any_operator: Operator) -> Operator:
    """An operator with two delivered, one dead and one waiting delivery."""
    any_operator.arrange(past)
    return any_operator


def replay(operator: Operator, *options: str) -> Any:
    return operator.ask("deliveries", "replay", "--yes", "--detach", *options)


def test_what_ended_is_selected_what_waits_is_not(operator: Operator) -> None:
    """Delivered and dead; by filter, by id, or all of it; the fields of the contract."""
    report = replay(operator, "--platform", "luma")
    assert list(report) == REPORT
    assert (report["state"], report["selected"], report["pending"]) == ("running", 3, 3)
    assert replay(operator, "--all", "--limit", "1")["selected"] == 1
    assert replay(operator, "--user", "alice@example.com")["selected"] == 1
    assert replay(operator, "--status", "2xx")["selected"] == 2
    assert replay(operator, delivery_id("evt_bob", "luma"))["selected"] == 1


def test_a_delivery_that_is_under_way_is_not_sent_again(operator: Operator) -> None:
    """Named by its id it is refused, with its state; an unknown one is not found."""
    waiting = delivery_id("evt_dave", "luma")
    said = operator.refused("deliveries", "replay", waiting, "--yes", code=5)
    assert waiting in said
    assert "pending" in said
    assert "wh_del_x" in operator.refused("deliveries", "replay", "wh_del_x", "--yes", code=5)


def test_the_rules_of_dlq_replay_hold(operator: Operator) -> None:
    """Something must be given; without a terminal nobody is asked; who came back is left out."""
    operator.refused("deliveries", "replay", "--yes", code=2)
    operator.refused("deliveries", "replay", "--all", code=2)
    operator.refused("deliveries", "replay", "--all", "--platform", "luma", "--yes", code=2)
    at = (DISCONNECTED_AT + timedelta(seconds=1)).isoformat()
    back = ("--email", "alice@example.com", "--platform", "luma", "--at", at)
    operator.ask("links", "add", *back)
    report = replay(operator, "--all")
    assert (report["selected"], report["reconnected"]) == (2, 1)
    everyone = replay(operator, "--all", "--include-reconnected")
    assert (everyone["selected"], everyone["reconnected"]) == (3, 0)


def test_a_dry_run_tells_what_was_delivered_from_what_is_dead(operator: Operator) -> None:
    """By platform, by reason, by age; nothing is stored."""
    result = operator.fanout("deliveries", "replay", "--all", "--dry-run", "-o", "json")
    assert result.json()["job"] is None
    assert re.search(r"2  luma  delivered, .* ago", result.stderr)
    assert re.search(r"1  luma  exhausted, .* ago", result.stderr)
    assert operator.ask("replays", "list") == []


def test_who_was_forgotten_is_left_out(operator: Operator) -> None:
    """Nobody knows any more whom the platform would be told about."""
    operator.ask("privacy", "forget", "--email", "bob@example.com", "--yes")
    result = operator.fanout("deliveries", "replay", "--all", "--dry-run", "-o", "json")
    assert result.json()["selected"] == 2
    assert "1  left out: the user was forgotten" in result.stderr


def test_nobody_but_forgotten_users_is_nothing_to_do(operator: Operator) -> None:
    """Without a single user there is no link to look for, and that is no failure."""
    operator.ask("privacy", "forget", "--email", "bob@example.com", "--yes")
    wanted = ("--event", "evt_bob", "--yes", "-o", "json")
    result = operator.fanout("deliveries", "replay", *wanted)
    assert (result.json()["state"], result.json()["selected"]) == ("nothing_to_do", 0)
    assert "1  left out: the user was forgotten" in result.stderr


def test_a_job_is_shown_paused_resumed_and_cancelled(operator: Operator) -> None:
    """Each prints how far the job has come, and is in the audit."""
    job = replay(operator, "--all")["job"]
    for verb, state in (
        ("show", "running"), ("pause", "paused"), ("pause", "paused"), ("show", "paused"),
        ("resume", "running"), ("cancel", "cancelled"), ("show", "cancelled"),
    ):  # fmt: skip
        report = operator.ask("replays", verb, job)
        assert list(report) == REPORT
        assert (report["job"], report["state"], report["pending"]) == (job, state, 3)
    (listed,) = operator.ask("replays", "list")
    assert listed == report
    audit = [one["command"] for one in operator.ask("audit", "list")]
    assert audit[:5] == [
        "replays cancel", "replays resume", "replays pause", "replays pause", "deliveries replay",
    ]  # fmt: skip


def test_what_can_not_be_done_to_a_job_is_said(operator: Operator) -> None:
    """Exit code 5 for an unknown job, 2 for one that has ended; neither is audited."""
    job = replay(operator, "--all")["job"]
    operator.ask("replays", "cancel", job)
    before = len(operator.ask("audit", "list"))
    for verb in ("show", "pause", "resume", "cancel"):
        assert "no replay nosuchjob" in operator.refused("replays", verb, "nosuchjob", code=5)
    assert len(operator.ask("audit", "list")) == before
    for verb in ("pause", "resume"):
        assert "it is cancelled" in operator.refused("replays", verb, job, code=2)


def test_jobs_are_listed_up_to_the_limit(operator: Operator) -> None:
    """The newest first, and a word if there are more."""
    jobs = [replay(operator, "--all", "--limit", "1")["job"] for _ in range(3)]
    result = operator.fanout("replays", "list", "--limit", "2", "-o", "json")
    assert {one["job"] for one in result.json()} < set(jobs)
    assert len(result.json()) == 2
    assert "more than these 2" in result.stderr


def test_at_a_terminal_a_bar_tells_all_counts(operator: Operator) -> None:
    """Delivered, failed again, pending, reconnected; the data stays on standard output."""
    operator.settings["COLUMNS"] = "160"
    shown = interrupted(operator, "reconnected", "deliveries", "replay", "--all", "--yes")
    assert "0 delivered, 0 failed again, 3 pending, 0 reconnected" in shown
    assert "Ctrl-C leaves it running" in shown
    assert "fanout replays pause" in shown


@pytest.mark.parametrize("replayed", ["dlq", "deliveries"])
@pytest.mark.parametrize("included", [False, True])
def test_who_comes_back_after_the_choice_is_left_out_unless_he_is_included(
    operator: Operator, replayed: str, *, included: bool
) -> None:
    """Judged at each turn, by the option that was given when the job was made."""
    chosen = ("--user", "carol@example.com", *(["--include-reconnected"] if included else []))
    job = operator.ask(replayed, "replay", "--yes", "--detach", *chosen)["job"]
    operator.ask("replays", "pause", job)
    again = ("links", "add", "--email", "carol@example.com", "--platform", "luma")
    operator.ask(*again, "--at", (DISCONNECTED_AT + timedelta(days=1)).isoformat())
    operator.ask("replays", "resume", job)

    async def turn(world: SqlWorld) -> None:
        for _ in range(2):
            await world.worker.replays.advance(1.0)
        claims = await world.worker.due.claim("luma", limit=9, lease_s=9, holding=(), reclaim=True)
        assert len(claims) == included

    operator.arrange(turn)
    shown = operator.ask("replays", "show", job)
    expected = ["running", 1, 0, 0, 0, 1] if included else ["done", 0, 1, 0, 0, 0]
    assert [shown[one] for one in REPORT[1:]] == expected
    assert operator.ask("replays", "list")[0] == shown
    assert len(operator.ask("dlq", "list")) == (not included)
