"""The command line that is being run, as the audit may keep it."""

import re
import shlex
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from disconnect_fanout.policy.wording.nameless import HIDDEN, nameless

_PERSONAL = frozenset({"--email", "--user", "--google-id"})
_BEHIND_HOST = re.compile(r"(://[^\s/?#]+)[/?#]\S+")  # a path or a query may be a secret


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was typed.

    Attributes:
        command: its words, such as ``dlq discard``.
        arguments: the rest, as a shell would read it, without what nobody else may know.
    """

    command: str
    arguments: str


_current: ContextVar[Invocation] = ContextVar("invocation")


def remember(args: Sequence[str]) -> None:
    """Note what this process, or this test, runs now."""
    words = [one for one in args[:2] if not one.startswith("-")]
    _current.set(Invocation(" ".join(words), harmless(args[len(words) :])))


def invocation() -> Invocation:
    """Return what is run now."""
    return _current.get()


def harmless(args: Sequence[str]) -> str:
    """Return arguments without addresses of users, account ids, and what follows a URL's host."""
    return " ".join(map(_quoted, _without_secrets(args)))


def _quoted(word: str) -> str:
    """Quote for a shell, but not because of the mark for what is hidden."""
    shown = word.replace(HIDDEN, "_")
    return word if shlex.quote(shown) == shown else shlex.quote(word)


def _without_secrets(args: Sequence[str]) -> Iterator[str]:
    hide = False
    for one in args:
        name, equals, _ = one.partition("=")
        if hide:
            yield HIDDEN
        elif name in _PERSONAL and equals:
            yield f"{name}={HIDDEN}"
        else:
            yield _BEHIND_HOST.sub(rf"\1/{HIDDEN}", nameless(one))
        hide = not hide and one in _PERSONAL
