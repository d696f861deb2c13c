"""The last resort: a process that was asked to leave is gone in bounded time, whatever hangs."""

import logging
import os
import threading

import structlog


class ExitDeadline:
    """Ends the process from a thread of its own: an event loop that is stuck ends nothing.

    Args:
        code: what it ends with. What was in hand is answered for by leases and unacked messages.
    """

    def __init__(self, code: int = 1) -> None:
        self._code = code
        self._timer: threading.Timer | None = None

    def set(self, within_s: float) -> None:
        """Begin to count; the first deadline holds."""
        if self._timer is None:
            self._timer = threading.Timer(within_s, self._leave)
            self._timer.daemon = True
            self._timer.start()

    def lift(self) -> None:
        """The process ends by itself."""
        if self._timer is not None:
            self._timer.cancel()

    def _leave(self) -> None:
        words = "something hangs; leaving without it"
        structlog.get_logger().error("exit.forced", message=words, code=self._code)
        logging.shutdown()
        os._exit(self._code)
