"""Logs and metrics: every fact is told, and no line tells an address, a secret or a body."""

import json
import logging
import re
from collections.abc import Iterator
from typing import get_args

import orjson
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.outcome import Result, Shortage
from disconnect_fanout.domain.rejection import RejectReason
from disconnect_fanout.flow.fact import (
    AttemptFinished,
    AttemptGivenBack,
    BreakerTurned,
    ClaimInterrupted,
    ConsumptionSilent,
    DeadLetterDecided,
    DeliveryDelivered,
    DependencyChanged,
    DutyCrashed,
    DutyFailed,
    DutyResumed,
    EventHandled,
    EventOutcome,
    EventsHeld,
    Fact,
    OutcomeUnrecorded,
    PeriodicJobDone,
    RanShort,
    RowSetAside,
    TopologyRestored,
)
from disconnect_fanout.policy.decide import DeadLettered, Delivered, RetryIn, TryAgainNow, Verdict
from disconnect_fanout.telemetry.log_lines import LogLines
from disconnect_fanout.telemetry.logs import configure_logs
from disconnect_fanout.telemetry.observer import Observer

CANARY = "canary@example.com"
VERDICTS: dict[Result, Verdict] = {
    Result.DELIVERED: Delivered(),
    Result.GONE: DeadLettered(DeadReason.GONE, disables_platform=True),
    Result.DISCONNECTED: TryAgainNow(),
}


def attempt(result: Result, verdict: Verdict, **changes: object) -> AttemptFinished:
    """One request that ended."""
    about: dict[str, object] = {
        "delivery_id": "wh_del_1",
        "event_id": "evt_1",
        "platform_id": "plat_luma",
        "attempt": 1,
        "status": 200,
        "duration_s": 0.0123,
        "replay": False,
        "latency_s": 0.5,
    }
    return AttemptFinished(result=result, verdict=verdict, **{**about, **changes})  # type: ignore[arg-type]


FACTS: list[Fact] = [
    *(attempt(one, VERDICTS.get(one, RetryIn(5.04, 0, 1))) for one in Result),
    EventHandled(EventOutcome.FANNED_OUT, "evt_1", 3),
    EventHandled(EventOutcome.NO_RECIPIENTS, "evt_2"),
    EventHandled(EventOutcome.DUPLICATE, "evt_1"),
    EventHandled(EventOutcome.LINKED, "evt_3", 1),
    *(
        EventHandled(EventOutcome.REJECTED, None, reason=one, detail="data: is missing")
        for one in RejectReason
    ),
    DeliveryDelivered("wh_del_1", "plat_luma"),
    *(DeadLetterDecided("wh_del_1", "plat_luma", one) for one in DeadReason),
    BreakerTurned("plat_luma", opened=True),
    BreakerTurned("plat_luma", opened=False),
    ClaimInterrupted("wh_del_1", "plat_luma"),
    *(AttemptGivenBack("wh_del_1", "plat_luma", one) for one in (Shortage.MEMORY, Shortage.PORTS)),
    *(RanShort(one) for one in (Shortage.DESCRIPTORS, Shortage.THREADS)),
    DependencyChanged("broker", reachable=False, detail="refused"),
    DependencyChanged("broker", reachable=True),
    ConsumptionSilent("messages wait at the broker, and none comes"),
    ConsumptionSilent("messages wait at the broker, and none comes", given_up=True),
    ConsumptionSilent(None),
    EventsHeld("permission denied for table events"),
    EventsHeld(None),
    TopologyRestored(("exchange calendar.events", "binding x of queue fanout.events"), bindings=1),
    DutyFailed("scheduler", "no answer"),
    DutyResumed("scheduler"),
    DutyCrashed("sweeper", 2, 2.0),
    PeriodicJobDone("old events", 100),
    OutcomeUnrecorded("wh_del_1", 2, Result.DELIVERED),
    DutyCrashed("sweeper", in_a_row=2, again_in_s=2.0),
    *(RowSetAside(BadRow(one, "1", "a column: is nothing that is known")) for one in RowKind),
]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is set up for a process; put it back."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was logged, parsed; nothing is on stdout."""
    said = capsys.readouterr()
    assert said.out == ""
    return [json.loads(line) for line in said.err.splitlines()]


def test_every_kind_of_fact_is_here() -> None:
    """The claims below are about all of them."""
    assert {type(fact) for fact in FACTS} == set(get_args(Fact))


def test_each_fact_is_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With a level, an instant in UTC, and words."""
    configure_logs("info", "json")
    observer = Observer()
    for fact in FACTS:
        observer.observe(fact)
    told = lines(capsys)
    assert len(told) == len(FACTS) - 1, "a delivery has the line of its attempt"
    for line in told:
        assert line["level"] in {"info", "warning", "error"}
        assert str(line["timestamp"]).endswith("Z")
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", str(line["event"]))
        assert line["message"]


def test_an_attempt_is_one_wide_line(capsys: pytest.CaptureFixture[str]) -> None:
    """All that one asks after an incident, without joining lines."""
    configure_logs("info", "json")
    Observer().observe(
        attempt(Result.TIMED_OUT, RetryIn(300.04, 0, 2), status=None, attempt=2, detail="late")
    )
    (line,) = lines(capsys)
    del line["timestamp"]
    assert line == {
        "event": "attempt.finished",
        "message": "again in 300.0s",
        "level": "warning",
        "delivery_id": "wh_del_1",
        "event_id": "evt_1",
        "platform_id": "plat_luma",
        "attempt": 2,
        "result": "timed_out",
        "status": None,
        "duration_ms": 12.3,
        "verdict": "retry",
        "wait_s": 300.0,
        "replay": False,
        "detail": "late",
    }


def test_below_the_level_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """``error`` leaves only what needs somebody."""
    configure_logs("error", "json")
    observer = Observer()
    for fact in FACTS:
        observer.observe(fact)
    assert {line["level"] for line in lines(capsys)} == {"error"}


def test_a_console_line_has_no_colours_for_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape codes are for terminals."""
    configure_logs("debug", "console")
    observer = Observer()
    for fact in FACTS:
        observer.observe(fact)
    _crash(observer)
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert said.count("\n") >= len(FACTS)


def _boom(body: bytes) -> None:
    raise KeyError(CANARY, body)


def _crash(observer: Observer) -> None:
    """Tell of a bug whose words and variables name a user."""
    try:
        try:
            _boom(f'{{"user_email":"{CANARY}"}}'.encode())
        except KeyError as error:
            raise ValueError(f"could not handle {CANARY}") from error
    except ValueError as error:
        observer.crashed(error)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_crash_is_told_without_its_words(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """Where it happened and of which kinds the errors are; their words may name a user."""
    assert form in {"json", "console"}
    configure_logs("info", form)  # type: ignore[arg-type]
    _crash(Observer())
    said = capsys.readouterr().err
    assert "canary" not in said
    assert "in _boom" in said
    assert said.index("builtins.KeyError") < said.index("builtins.ValueError")


@pytest.mark.parametrize("form", ["json", "console"])
def test_libraries_speak_through_the_same_door(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """One format, their first line, and no traceback with words in it."""
    configure_logs("info", form)  # type: ignore[arg-type]
    try:
        _boom(b"")
    except KeyError:
        logging.getLogger("asyncio").exception(
            "Task exception was never retrieved\nfuture: <Task exception=KeyError('%s')>", CANARY
        )
    logging.getLogger("aiohttp.client").info("not worth a line")
    logging.getLogger("aiormq.connection").error("lost, and %s", CANARY)
    said = capsys.readouterr().err
    assert "canary" not in said
    assert "Task exception was never retrieved" in said
    assert "in _boom" in said
    if form == "json":
        line = orjson.loads(said)
        assert (line["logger"], line["level"]) == ("asyncio", "error")


# ── metrics ──────────────────────────────────────────────────────────────────────────────────


def samples(observer: Observer) -> dict[tuple[str, tuple[str, ...]], float]:
    """The exposition, read by Prometheus' own parser; labels in the order of their names."""
    text = observer.metrics.exposition().decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_have_the_contracts_names_and_labels() -> None:
    """What dashboards and alerts are written against."""
    observer = Observer()
    for fact in FACTS:
        observer.metrics.observe(fact)
    observer.metrics.show_dead({"plat_luma": 4}, {"plat_luma"}.__contains__)
    families = {
        family.name: {frozenset(sample.labels) - {"le"} for sample in family.samples}
        for family in text_string_to_metric_families(observer.metrics.exposition().decode())
    }
    assert families["fanout_events"] == {frozenset({"outcome"})}
    assert families["fanout_deliveries"] == {frozenset({"platform", "outcome"})}
    assert families["fanout_delivery_attempts"] == {frozenset({"platform", "result"})}
    assert families["fanout_delivery_latency_seconds"] == {frozenset()}
    assert families["fanout_dead_letters"] == {frozenset({"platform", "reason"})}
    assert families["fanout_dead_letter_depth"] == {frozenset({"platform"})}
    assert b"_created" not in observer.metrics.exposition()


def test_metrics_count_what_happened() -> None:
    """Attempts by result, deliveries by end, events by outcome."""
    observer = Observer()
    for fact in FACTS:
        observer.metrics.observe(fact)
    found = samples(observer)
    for result in Result:
        assert found["fanout_delivery_attempts_total", ("plat_luma", result.value)] == 1
    assert found["fanout_deliveries_total", ("delivered", "plat_luma")] == 1
    assert found["fanout_deliveries_total", ("dead", "plat_luma")] == len(DeadReason) - 1
    assert found["fanout_events_total", ("rejected",)] == len(RejectReason)
    assert found["fanout_events_total", ("fanned_out",)] == 1
    assert found["fanout_delivery_latency_seconds_count", ()] == len(Result)
    assert found["fanout_breaker_open", ("plat_luma",)] == 0
    assert found["fanout_outages_total", ("broker",)] == 1


def test_an_id_from_outside_is_no_label() -> None:
    """Events may name any number of platforms that nobody registered."""
    observer = Observer()
    for number in range(100):
        fact = DeadLetterDecided("wh_del_1", f"canary_{number}", DeadReason.UNKNOWN_PLATFORM)
        observer.metrics.observe(fact)
    observer.metrics.show_dead(
        {**{f"canary_{number}": 2 for number in range(100)}, "plat_luma": 1},
        {"plat_luma"}.__contains__,
    )
    found = samples(observer)
    assert not [labels for _, labels in found if any("canary" in one for one in labels)]
    assert found["fanout_dead_letters_total", ("unknown", "unknown_platform")] == 100
    assert found["fanout_dead_letter_depth", ("unknown",)] == 200
    assert found["fanout_dead_letter_depth", ("plat_luma",)] == 1


def test_a_depth_that_is_gone_is_not_shown() -> None:
    """Letters that were replayed don't stay on the dashboard."""
    metrics = Observer().metrics
    metrics.show_dead({"plat_luma": 3}, {"plat_luma"}.__contains__)
    metrics.show_dead({}, {"plat_luma"}.__contains__)
    assert b"fanout_dead_letter_depth{" not in metrics.exposition()


def test_what_is_wanting_is_one_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred requests that could not be made are one line, and one again ten seconds later."""
    configure_logs("info", "json")
    now = [0.0]
    told = LogLines(clock=lambda: now[0])
    for at in (0.0, 0.1, 9.9, 10.0):
        now[0] = at
        for _ in range(100):
            told.observe(AttemptGivenBack("wh_del_1", "plat_luma", Shortage.DESCRIPTORS))
    first, second = lines(capsys)
    for line in (first, second):
        assert line["shortage"] == "descriptors"
        assert "out of file descriptors" in str(line["message"])
