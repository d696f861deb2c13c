"""What a worker keeps in the database, as the ports that the flow needs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.dead_letters.store import SqlDeadLetterStore
from disconnect_fanout.adapters.store.deliveries.balance import BalanceSheet
from disconnect_fanout.adapters.store.deliveries.due import SqlDueStore
from disconnect_fanout.adapters.store.deliveries.ledger import SqlLedger
from disconnect_fanout.adapters.store.deliveries.plaintext_answers import PlaintextAnswers
from disconnect_fanout.adapters.store.deliveries.unreadable_events import UnreadableEvents
from disconnect_fanout.adapters.store.events.retention import Retention
from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.http_api.remembered_answer import RememberedAnswers
from disconnect_fanout.adapters.store.leader_lease import LeaderLease as SqlLeaderLease
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.managed_links.store import SqlLinkStore
from disconnect_fanout.adapters.store.platforms.open_breakers import OpenBreakers
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.platforms.waiting import WaitingRoom
from disconnect_fanout.adapters.store.replays.pacer import SqlReplayStore
from disconnect_fanout.adapters.store.rows.older_hashes import OlderRows
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.app.balance_monitor import BalanceSource
from disconnect_fanout.app.gauges import BreakerReport, WaitingSource
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.directory import PlatformSource
from disconnect_fanout.flow.due import DueStore
from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.housekeeping import PeriodicJob
from disconnect_fanout.flow.letters import DeadLetterStore
from disconnect_fanout.flow.links.store import LinkStore
from disconnect_fanout.flow.recorder import Ledger
from disconnect_fanout.flow.relay import Outbox
from disconnect_fanout.flow.replayer import ReplayStore
from disconnect_fanout.flow.resolver import EventStore
from disconnect_fanout.flow.supervision.duties import Run
from disconnect_fanout.flow.sweeper import LeaderLease


@dataclass(frozen=True, slots=True)
class Stores:
    """One of each, and what is known of the database behind them."""

    health: DatabaseHealth
    look_for_keys: Run
    platforms: PlatformSource
    events: EventStore
    links: LinkStore
    ledger: Ledger
    due: DueStore
    letters: DeadLetterStore
    replays: ReplayStore
    leader_lease: LeaderLease
    balance: BalanceSource
    retention: PeriodicJob
    plaintext_links: PeriodicJob
    plaintext_answers: PeriodicJob
    older_rows: PeriodicJob
    unreadable_events: PeriodicJob
    waiting: WaitingSource
    outbox: Outbox
    answers: PeriodicJob
    breakers: Callable[[str], BreakerReport]


def sql_stores(settings: Settings, database: Database, seals: Seals, observe: Observe) -> Stores:
    """Return the stores on SQLite or PostgreSQL."""
    vault = Vault(settings.secret_keys)
    event_store = SqlEventStore(database, seals, by_google_id=settings.learns_links)
    database.set_aside.observe = observe
    return Stores(
        health=database.health,
        look_for_keys=SecretKeys(database, vault).look,
        platforms=SqlPlatformSource(database, vault, settings.timeout),
        events=event_store,
        links=SqlLinkStore(database, seals),
        ledger=SqlLedger(database, vault, observe, probe=event_store.probe),
        due=SqlDueStore(database, seals),
        letters=SqlDeadLetterStore(database),
        replays=SqlReplayStore(database, seals),
        leader_lease=SqlLeaderLease(database),
        balance=BalanceSheet(database),
        retention=Retention(database, settings.history_retention),
        plaintext_links=PlaintextLinks(database, seals),
        plaintext_answers=PlaintextAnswers(database, vault),
        older_rows=OlderRows(database, seals),
        unreadable_events=UnreadableEvents(database, seals),
        waiting=WaitingRoom(database),
        outbox=SqlOutbox(database, seals),
        answers=RememberedAnswers(database, seals),
        breakers=partial(OpenBreakers, database),
    )
