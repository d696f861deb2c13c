"""What is our own want, however deep it lies, and what is not."""

import errno
import sqlite3
import ssl
from types import SimpleNamespace

import pytest

from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.policy.faults.own_fault import due_again_s, shortage_of


def _os(number: int) -> OSError:
    return OSError(number, "words")


class Wrapped(Exception):
    """As libraries wrap: the cause in an attribute."""

    def __init__(self, **attributes: BaseException) -> None:
        super().__init__("wrapped")
        vars(self).update(attributes)


@pytest.mark.parametrize(
    ("error", "shortage"),
    [
        (_os(errno.EMFILE), Shortage.DESCRIPTORS),
        (_os(errno.ENFILE), Shortage.DESCRIPTORS),
        (_os(errno.ENOMEM), Shortage.MEMORY),
        (_os(errno.ENOBUFS), Shortage.MEMORY),
        (MemoryError(), Shortage.MEMORY),
        (_os(errno.EADDRNOTAVAIL), Shortage.PORTS),
        (_os(errno.EAGAIN), Shortage.PORTS),
        (RuntimeError("can't start new thread"), Shortage.THREADS),
        (_os(errno.ECONNREFUSED), None),
        (_os(errno.ENETUNREACH), None),
        (_os(errno.EACCES), None),
        (ConnectionResetError(errno.ECONNRESET, "reset"), None),
        (TimeoutError(), None),
        (OSError("several addresses, several errors"), None),
        (ssl.SSLError(1, "[SSL] malloc failure"), None),
        (RuntimeError("the handler is closed"), None),
        (ValueError("a bug"), None),
        (sqlite3.OperationalError("no such table"), None),
    ],
    ids=repr,
)
def test_an_error_is_ours_or_it_is_not(error: BaseException, shortage: Shortage | None) -> None:
    """Descriptors, memory, threads, ports; nothing that a platform or a bug brings about."""
    assert shortage_of(error) is shortage


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM])
def test_it_is_found_behind_other_errors(number: int) -> None:
    """A cause, a context, a connector's or driver's attribute, a group: all are looked through."""
    deep = _os(number)
    chained = ValueError("x")
    chained.__cause__ = RuntimeError("y")
    chained.__cause__.__context__ = deep
    for error in (
        chained,
        Wrapped(os_error=deep),
        Wrapped(orig=deep),
        Wrapped(orig=Wrapped(os_error=deep)),
        ExceptionGroup("several", [_os(errno.ECONNREFUSED), deep]),
    ):
        assert shortage_of(error) is shortage_of(deep)


def test_what_somebody_put_aside_is_no_cause() -> None:
    """An error raised *from None* has nothing to do with the one before it."""
    error = ValueError("x")
    error.__context__ = _os(errno.EMFILE)
    error.__suppress_context__ = True
    assert shortage_of(error) is None


def test_errors_in_a_circle_end() -> None:
    """Errors that name each other as their cause are looked at once."""
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert shortage_of(one) is None
    assert shortage_of(Wrapped(orig=SimpleNamespace())) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_what_is_given_back_is_due_within_seconds(chance: float) -> None:
    """One to five seconds, spread."""
    assert 1.0 <= due_again_s(chance) <= 5.0


def test_each_want_has_words() -> None:
    """An operator reads what is wanting."""
    assert {one.words for one in Shortage} >= {"out of file descriptors", "out of memory"}
    assert len({one.words for one in Shortage}) == len(Shortage)
