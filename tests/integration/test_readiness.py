"""What ``/readyz`` says of a worker, by the facts that it hears."""

from disconnect_fanout.app.readiness import Readiness
from disconnect_fanout.flow.fact import DependencyChanged


def test_outcomes_that_wait_are_said_until_they_are_written() -> None:
    """A table alone may be locked: other commits go through, and the worker is not ready.

    Fails before: it named the periodic jobs that stumbled over the table, or nothing.
    """
    ready = Readiness(started=True, consuming=lambda: True, platforms=1)
    ready.observe(DependencyChanged("broker", reachable=False, detail="refused"))
    assert ready.problems() == []
    ready.observe(DependencyChanged("database", reachable=False, detail="lock timeout"))
    assert ready.problems() == ["the database takes no outcome: lock timeout"]
    ready.observe(DependencyChanged("database", reachable=True))
    assert ready.problems() == []
