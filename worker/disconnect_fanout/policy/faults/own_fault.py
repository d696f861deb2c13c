"""Our own want, distinguished from what others did to us: it is no attempt, and booked on nobody.

An error is looked through to its causes, because libraries wrap: what a connector, a driver or a
group of errors hides is found here.
"""

import errno
from collections.abc import Iterator

from disconnect_fanout.domain.outcome import Shortage

_BY_ERRNO = {
    errno.EMFILE: Shortage.DESCRIPTORS,
    errno.ENFILE: Shortage.DESCRIPTORS,
    errno.ENOMEM: Shortage.MEMORY,
    errno.ENOBUFS: Shortage.MEMORY,
    errno.EADDRNOTAVAIL: Shortage.PORTS,
    errno.EAGAIN: Shortage.PORTS,  # connect(2): no free local port
}
_NO_THREAD = "can't start new thread"  # CPython's words for EAGAIN of pthread_create
_NO_MEMORY = "MALLOC_FAILURE"  # OpenSSL's
_SHORTEST_S, _LONGEST_S = 1.0, 5.0


def shortage_of(error: BaseException) -> Shortage | None:
    """Return what was wanting if this error, or one behind it, is our own fault."""
    return next((found for one in _with_causes(error) if (found := _shortage(one))), None)


def due_again_s(chance: float) -> float:
    """Return after how many seconds a delivery that was given back is due again.

    Args:
        chance: uniform in [0, 1), so that not all come back at once.
    """
    return _SHORTEST_S + chance * (_LONGEST_S - _SHORTEST_S)


def _shortage(error: BaseException) -> Shortage | None:
    match error:
        case MemoryError():
            return Shortage.MEMORY
        case OSError(errno=int(number)) if number in _BY_ERRNO:
            return _BY_ERRNO[number]
        case OSError() if getattr(error, "reason", None) == _NO_MEMORY:
            return Shortage.MEMORY
        case RuntimeError() if str(error).startswith(_NO_THREAD):
            return Shortage.THREADS
        case _:
            return None


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    met: set[int] = set()
    ahead: list[BaseException] = [error]
    while ahead:
        one = ahead.pop()
        if id(one) in met:
            continue
        met.add(id(one))
        yield one
        ahead += [
            cause
            for cause in (
                one.__cause__,
                None if one.__suppress_context__ else one.__context__,
                getattr(one, "os_error", None),  # a connector's
                getattr(one, "orig", None),  # a database driver's
            )
            if isinstance(cause, BaseException)
        ]
        if isinstance(one, BaseExceptionGroup):
            ahead += one.exceptions
