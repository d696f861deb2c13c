"""All commands of ``fanout`` with their options, as they are put together."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from typer.main import get_command

from disconnect_fanout.cli.main import assembled

_VALUES = {
    "--email": "a@x.example",
    "--platform": "plat_none",
    "--id": "1",
    "--type": "google_calendar",
    "--user-id": "7",
    "--name": "None",
    "--url": "https://none.example/",
    "--because": "ticket 4711",
    "--port": "0",
}
_WORDS = {"contract": "event"}


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        words: such as ``("dlq", "list")``.
        options: each by its longest name.
        required: options and arguments that make a command line that can be understood.
    """

    words: tuple[str, ...]
    options: tuple[str, ...]
    required: tuple[str, ...]

    def __str__(self) -> str:
        """Name a test."""
        return "-".join(self.words)

    def line(self, *options: str) -> tuple[str, ...]:
        """Return a command line with these options, and with what it can't do without."""
        given = {one.partition("=")[0] for one in options}
        needed = [one for one in self.required if one.partition("=")[0] not in given]
        return (*self.words, *needed, *options)


@cache
def commands() -> tuple[Command, ...]:
    """Return every command, in the order of the alphabet."""
    return tuple(_walk(get_command(assembled([], in_full=True)), ()))


def _walk(node: Any, words: tuple[str, ...]) -> Iterator[Command]:
    if hasattr(node, "commands"):
        for name, one in sorted(node.commands.items()):
            yield from _walk(one, (*words, name))
        return
    options = tuple(one.opts[-1] for one in node.params if one.opts[-1].startswith("-"))
    required = tuple(_given(one.opts[-1]) for one in node.params if one.required)
    yield Command(words, options, required)


def _given(name: str) -> str:
    return f"{name}={_VALUES[name]}" if name.startswith("-") else _WORDS.get(name, "x.csv")
