"""Housekeeping: which chores there are, and how often each is done."""

from disconnect_fanout.app.balance_watch import BalanceWatch
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.stores import Stores
from disconnect_fanout.flow.housekeeping import Housekeeping
from disconnect_fanout.telemetry.observer import Observer

_LONGEST_REST_S = 600.0
_SEAL_EVERY_S = 2.0
_LOOK_AGAIN_EVERY_S = 30.0
_SEAL_ANSWERS_EVERY_S = 10.0  # only a worker of an earlier version beside us writes new ones


def chores_of(
    settings: Settings, stores: Stores, worker: str, observer: Observer
) -> tuple[Housekeeping | BalanceWatch, ...]:
    """Return all chores of a worker; each is done by one worker at a time."""
    duty, observe = stores.duty, observer.observe
    rest_s = min(max(settings.history_retention / 100, 1.0), _LONGEST_REST_S)
    return (
        Housekeeping(
            "retention", stores.retention, every_s=rest_s, duty=duty, worker=worker, observe=observe
        ),
        Housekeeping(
            "answers",
            stores.answers,
            every_s=_LONGEST_REST_S,
            duty=duty,
            worker=worker,
            observe=observe,
        ),
        Housekeeping(
            "clear links",
            stores.clear_links,
            every_s=_SEAL_EVERY_S,
            duty=duty,
            worker=worker,
            observe=observe,
        ),
        Housekeeping(
            "unreadable events",
            stores.unreadable_events,
            every_s=_LOOK_AGAIN_EVERY_S,
            duty=duty,
            worker=worker,
            observe=observe,
        ),
        Housekeeping(
            "clear answers",
            stores.clear_answers,
            every_s=_SEAL_ANSWERS_EVERY_S,
            duty=duty,
            worker=worker,
            observe=observe,
        ),
        BalanceWatch(
            stores.balance, duty=duty, worker=worker, metrics=observer.metrics, observe=observe
        ),
    )
