"""Faults of SQLite: no room on its disk, its file locked by another process."""

import sqlite3
from dataclasses import dataclass

from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.store.outage import lasts


@dataclass
class DiskFull(Fault):
    """SQLite's disk has no room left, and then again.

    Args:
        seconds: how long.
    """

    seconds: float = 5.0

    async def bite(self, scene: Scene) -> str:
        disk = scene.place.disk
        assert disk is not None
        await scene.told(0.2)
        disk.fill(scene.worker.pid)
        try:
            await scene.worker.metric_becomes("fanout_outages_total", 1, within=30, what="database")
            await lasts(self.seconds)
        finally:
            disk.free()
        outages = (await scene.worker.metrics()).value("fanout_outages_total", what="database")
        return f"no room on the disk for {self.seconds:g} s; fanout_outages_total {outages:g}"


@dataclass
class FileLocked(Fault):
    """Another process holds SQLite's write lock.

    Args:
        seconds: how long; the busy time-out is 15 s.
    """

    seconds: float

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.2)
        holder = sqlite3.connect(scene.folder / "fanout.db", isolation_level=None, timeout=15)
        try:
            holder.execute("BEGIN IMMEDIATE")
            before = (await scene.books_of.rest()).events
            await lasts(self.seconds)
            after = (await scene.books_of.rest()).events
            holder.execute("ROLLBACK")
        finally:
            holder.close()
        assert before == after < len(scene.ids), "something was written all the same"
        lost = scene.worker.stderr.count("database is unreachable")
        return (
            f"{before} events recorded before and after {self.seconds:g} s under a lock; "
            f"losses in the worker's log: {lost}"
        )
