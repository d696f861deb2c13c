"""Hands what happened to the log and to the metrics."""

import structlog

from disconnect_fanout.flow.fact import Fact, Observe
from disconnect_fanout.telemetry.log_lines import LogLines
from disconnect_fanout.telemetry.metrics import Metrics


class Observer:
    """One ear for all facts; log and metrics know nothing of each other.

    Args:
        others: who else wants to hear them.
    """

    def __init__(self, *others: Observe) -> None:
        self._others = others
        self.metrics = Metrics()
        self._lines = LogLines()
        self._log = structlog.get_logger()

    def observe(self, fact: Fact) -> None:
        """Count it, then phrase it."""
        self.metrics.observe(fact)
        self._lines.observe(fact)
        for other in self._others:
            other(fact)

    def crashed(self, error: BaseException) -> None:
        """Tell of a bug, with its traceback: a task met what it did not expect."""
        self.metrics.count_crash()
        words = "a task crashed; what it held comes back"
        self._log.error("task.crashed", message=words, exc_info=error)
