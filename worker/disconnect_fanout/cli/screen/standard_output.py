"""Standard output, which may be full, closed, or read by somebody who has seen enough."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from disconnect_fanout.policy.wording.error_words import system_words


class Unwritable(Exception):
    """Standard output takes nothing; what the command was to change, it has changed."""


class Unread(Unwritable):
    """Whoever read it has stopped, as in ``fanout dlq list | head``: no failure by itself."""


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Give standard output to write to; what was written is out when the block ends.

    Raises:
        Unwritable: it was not written, or not all of it.
    """
    if sys.stdout is None:
        raise Unwritable("it is closed")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise Unread("nobody reads it") from None
    except OSError as error:
        raise Unwritable(system_words(error)) from None


@contextmanager
def shown_once(way_out: str) -> Iterator[None]:
    """Wrap the printing of a secret that nothing can print again.

    Args:
        way_out: what to do if nobody has seen it.

    Raises:
        Unwritable: with the way out, even if just nobody reads.
    """
    try:
        yield
    except Unwritable as error:
        raise Unwritable(f"{error}, so nobody has seen the secret; {way_out}") from None
