"""What is done beside the work, one worker of the installation at a time, and how often."""

from disconnect_fanout.app.balance_monitor import BalanceMonitor
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.stores import Stores
from disconnect_fanout.flow.housekeeping import Housekeeping
from disconnect_fanout.telemetry.observer import Observer

_LONGEST_REST_S = 600.0
_SEAL_EVERY_S = 2.0
_SEAL_ANSWERS_EVERY_S = 10.0  # only a worker of an earlier version beside us writes new ones
_LOOK_FOR_OLDER_EVERY_S = 60.0
_LOOK_AGAIN_EVERY_S = 30.0


def periodic_jobs(
    settings: Settings, stores: Stores, worker: str, observer: Observer
) -> tuple[Housekeeping | BalanceMonitor, ...]:
    """Return them; each runs for as long as the worker does."""
    works = (
        ("retention", stores.retention, _retention_rest_s(settings)),
        ("answers", stores.answers, _LONGEST_REST_S),
        ("clear links", stores.plaintext_links, _SEAL_EVERY_S),
        ("clear answers", stores.plaintext_answers, _SEAL_ANSWERS_EVERY_S),
        ("older rows", stores.older_rows, _LOOK_FOR_OLDER_EVERY_S),
        ("unreadable events", stores.unreadable_events, _LOOK_AGAIN_EVERY_S),
    )
    leader_lease, observe = stores.leader_lease, observer.observe
    return (
        *(
            Housekeeping(
                name, job, every_s=rest_s, leader_lease=leader_lease, worker=worker, observe=observe
            )
            for name, job, rest_s in works
        ),
        BalanceMonitor(
            stores.balance,
            leader_lease=leader_lease,
            worker=worker,
            metrics=observer.metrics,
            observe=observe,
        ),
    )


def _retention_rest_s(settings: Settings) -> float:
    return min(max(settings.history_retention / 100, 1.0), _LONGEST_REST_S)
