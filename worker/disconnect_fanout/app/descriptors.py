"""File descriptors: as many as this process may have, and whether those are enough."""

import resource

import structlog

from disconnect_fanout.app.http_server import MOST_CONNECTIONS

_AIM = 65_536
"""Some containers permit a thousand million; nobody needs them, and tables grow with them."""
_SPARE = 128  # databases, broker, log, libraries, name resolution


def of_worker(max_in_flight: int) -> int:
    """Return how many a worker may need: each slot, the connections kept alive, those of others."""
    return 2 * max_in_flight + MOST_CONNECTIONS


def reachable_limit(needed: int) -> int:
    """Return to how many ``enough_descriptors`` would come."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(_AIM, needed + _SPARE)
    if resource.RLIM_INFINITY in (soft, hard):
        return wanted
    return max(soft, min(hard, wanted))


def problem(needed: int) -> str | None:
    """Return what to do if the limit is too low, and stays so, for what may be open at once.

    Args:
        needed: by what the process does.
    """
    available = reachable_limit(needed)
    needed += _SPARE
    if available >= needed:
        return None
    return (
        f"{available} file descriptors may be open (ulimit -n), and up to {needed} are needed: "
        "raise the limit, or lower FANOUT_MAX_IN_FLIGHT"
    )


def enough_descriptors(needed: int) -> None:
    """Raise the limit as far as is useful and permitted, and warn where it stays too low.

    No reason not to start: what finds no descriptor waits, and is not lost.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft not in (wanted := reachable_limit(needed), resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if (words := problem(needed)) is not None:
        structlog.get_logger().warning("descriptors.few", message=words)
