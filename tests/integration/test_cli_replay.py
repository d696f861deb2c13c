"""``fanout dlq replay``: what is selected, who is left out, what is stored, what is asked."""

import asyncio
import re
import signal
from datetime import timedelta
from typing import Any

import pytest
from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    attempted,
    event,
    intent,
    planned,
)
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.operator import Operator

from disconnect_fanout.cli.commands.replays import report as replay_report
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered

REPORT = ["job", "state", "selected", "reconnected", "delivered", "failed", "pending"]
USERS = ("alice", "bob", "carol")


async def past(world: SqlWorld) -> None:
    """Three users, each a dead letter at luma and at boardy."""
    for platform in ("boardy", "luma"):
        await world.add_platform(platform)
    for user in USERS:
        one = event(f"evt_{user}", f"{user}@example.com", None)
        both = [planned(one, name, lease="mine") for name in ("boardy", "luma")]
        await world.worker.events.register([intent(one, *both)])
        await world.worker.ledger.commit(
            [attempted(it.id, "mine", EXHAUSTED, platform_id=it.platform_id) for it in both]
        )
        await world.worker.ledger.commit([LetterConfirmed(it.id, replays=0) for it in both])


@pytest.fixture
def replayer(any_operator: Operator) -> Operator:
    """An operator with six dead letters."""
    any_operator.arrange(past)
    return any_operator


def replay(operator: Operator, *options: str) -> Any:
    return operator.ask("dlq", "replay", "--yes", "--detach", *options)


def returned(operator: Operator, user: str, platform: str, after: timedelta) -> None:
    """Link a user again, so long after the disconnect."""
    at = (DISCONNECTED_AT + after).isoformat()
    link = ("--email", f"{user}@example.com", "--platform", platform, "--at", at)
    operator.ask("links", "add", *link)


def test_a_job_is_stored_with_its_selection(replayer: Operator) -> None:
    """The fields of the contract; workers find the job, this command only reports."""
    report = replay(replayer, "--platform", "luma")
    assert list(report) == REPORT
    assert report["job"]
    assert [report[one] for one in REPORT[1:]] == ["running", 3, 0, 0, 0, 3]
    released: list[int] = []

    async def advance(world: SqlWorld) -> None:
        released.append(await world.worker.replays.advance(1.0))

    replayer.arrange(advance)
    assert released == [3]
    assert len(replayer.ask("dlq", "list")) == 3
    (row, *_) = replayer.ask("deliveries", "list", "--state", "pending")
    assert row["platform_id"] == "luma"


def test_ids_filters_and_all_select(replayer: Operator) -> None:
    """As in the list; --limit takes some of them."""
    one = delivery_id("evt_bob", "luma")
    assert replay(replayer, one)["selected"] == 1
    assert replay(replayer, "--user", "bob@example.com")["selected"] == 2
    assert replay(replayer, "--why", "exhausted", "--status", "5xx")["selected"] == 6
    assert replay(replayer, "--why", "gone")["state"] == "nothing_to_do"
    assert replay(replayer, "--all")["selected"] == 6
    assert replay(replayer, "--all", "--limit", "2")["selected"] == 2


def test_who_has_come_back_is_left_out_and_counted(replayer: Operator) -> None:
    """A link to that platform, made after the disconnect, even if it has ended since."""
    returned(replayer, "alice", "luma", timedelta(seconds=1))
    returned(replayer, "bob", "luma", timedelta(0))
    returned(replayer, "carol", "luma", timedelta(days=1))
    end = ("links", "end", "--email", "carol@example.com", "--platform", "luma")
    replayer.ask(*end, "--at", (DISCONNECTED_AT + timedelta(days=2)).isoformat())
    report = replay(replayer, "--all")
    assert (report["selected"], report["reconnected"]) == (4, 2)
    everyone = replay(replayer, "--all", "--include-reconnected")
    assert (everyone["selected"], everyone["reconnected"]) == (6, 0)


def test_a_dry_run_counts_and_stores_nothing(replayer: Operator) -> None:
    """Counts by platform, reason and age on stderr, the report on stdout, no job stored."""
    result = replayer.fanout("dlq", "replay", "--all", "--dry-run", "-o", "json")
    report = result.json()
    assert (report["job"], report["state"], report["selected"]) == (None, "dry_run", 6)
    assert re.search(r"3  boardy  exhausted, \S+( to \S+)? ago", result.stderr)
    assert re.search(r"3  luma  exhausted, \S+( to \S+)? ago", result.stderr)
    released: list[int] = []

    async def advance(world: SqlWorld) -> None:
        released.append(await world.worker.replays.advance(1.0))

    replayer.arrange(advance)
    assert released == [0]


@pytest.mark.parametrize(("failing", "code"), [(0, 0), (1, 1)])
def test_the_command_follows_a_job_to_its_end(
    replayer: Operator, monkeypatch: pytest.MonkeyPatch, failing: int, code: int
) -> None:
    """It reports what became of each, and ends with 1 if some failed again."""
    real_follow = replay_report.follow

    async def follow(jobs: Any, job: str) -> replay_report.ReplayReport:
        await _settle(replayer, failing)
        return await real_follow(jobs, job)

    monkeypatch.setattr("disconnect_fanout.cli.commands.replays.order.follow", follow)
    result = replayer.fanout("dlq", "replay", "--platform", "luma", "--yes", "-o", "json")
    assert result.exit_code == code
    assert f'"failed": {failing}' in result.stdout
    assert f'"delivered": {3 - failing}' in result.stdout
    assert '"state": "done"' in result.stdout
    assert "\x1b" not in result.stderr


async def _settle(operator: Operator, failing: int) -> None:
    """Be the worker: release the job, send what is due, let the first ones fail."""

    async def work(world: SqlWorld) -> None:
        worker = world.worker
        await worker.replays.advance(1.0)
        claims = await worker.due.claim("luma", limit=9, lease_s=9, holding=(), reclaim=False)
        for number, claim in enumerate(claims):
            verdict = EXHAUSTED if number < failing else Delivered()
            one = claim.delivery
            await worker.ledger.commit(
                [attempted(one.id, one.lease, verdict, number=2, replay=True)]
            )
        await worker.replays.advance(1.0)

    await operator.arranged(work)


async def test_ctrl_c_leaves_the_job_running(operator: Operator) -> None:
    """Exit 130, a word about the job, and the job is still to be done."""
    await operator.arranged(past)
    process = await asyncio.create_subprocess_exec(
        FANOUT, "dlq", "replay", "--all", "--yes",
        env=environment(operator.settings), cwd=operator.folder,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    while b"Ctrl-C" not in await process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, said = await process.communicate()
    assert process.returncode == 130
    assert out == b""
    assert b"goes on without this command" in said
    assert b"fanout replays show " in said
    assert b"fanout replays pause " in said

    async def advance(world: SqlWorld) -> None:
        assert await world.worker.replays.advance(1.0) == 6

    await operator.arranged(advance)


def test_a_rate_is_kept_with_the_job(replayer: Operator) -> None:
    """One a second releases the first one now, and no more within half a second."""
    replay(replayer, "--all", "--rate", "1/s")
    released: list[int] = []

    async def advance(world: SqlWorld) -> None:
        released.append(await world.worker.replays.advance(0.5))

    replayer.arrange(advance)
    assert released == [1]


def test_an_address_is_not_in_what_is_said(replayer: Operator) -> None:
    """A filter by user does not echo the user."""
    result = replayer.fanout("dlq", "replay", "--user", "alice@example.com", "--dry-run")
    assert result.exit_code == 0
    assert "alice" not in result.stdout + result.stderr
