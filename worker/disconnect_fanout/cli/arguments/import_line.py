"""Lines of a file to import, and how their faults are named: by number, never by an address."""

import re
from collections.abc import Mapping
from typing import TypeAlias

Line: TypeAlias = tuple[int, Mapping[str, object] | str]
"""The number of its first line in an editor, and its fields or why there are none."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,39}", re.ASCII)


def shown(name: str) -> str:
    """Return a field's name in quotes, unless it may be a user's address, as without a header."""
    return repr(name if _NAME.fullmatch(name) else "…")


def is_whole(fields: Mapping[str, object]) -> bool:
    """Tell whether no text is half a character, which no database takes."""
    return all(_whole(name) and _whole(value) for name, value in fields.items())


def _whole(value: object) -> bool:
    if not isinstance(value, str) or value.isascii():
        return True
    return not any("\ud800" <= char <= "\udfff" for char in value)
