"""JSON as the contract reads it: strict where a field is read, patient where none is.

A field that nobody reads may hold whatever JSON can say: half a surrogate pair, a number of ten
thousand digits, a nesting of any depth. What is no JSON at all (``NaN``, a missing bracket) is
refused wherever it stands. Of a key that stands twice no value can be right, so it is remembered.
"""

import json
from collections import Counter
from typing import NoReturn

from disconnect_events.json_depth import BrokenNesting, without_deep_values

LEVELS_READ = 3
"""An event, its ``data``, and lists in them."""

_LONGEST_NUMBER = 64  # characters; what is beyond is as large to everybody who reads


class NotJson(ValueError):
    """The text is no JSON; says where, and repeats nothing of it."""


class _Object(dict[str, object]):
    """An object in which a key stands twice."""

    __slots__ = ("doubled",)
    doubled: tuple[str, ...]


def read_json(text: str) -> object:
    """Return what the text says.

    Raises:
        NotJson: it says nothing.
    """
    try:
        try:
            return _DECODER.decode(text)
        except RecursionError:
            return _DECODER.decode(without_deep_values(text, LEVELS_READ))
    except json.JSONDecodeError as error:
        ends = " where it ends" if error.pos >= len(error.doc.rstrip()) else ""
        where = f"line {error.lineno}, column {error.colno}"
        raise NotJson(f"is not valid JSON ({where}{ends})") from None
    except (_NoNumber, BrokenNesting) as error:
        raise NotJson(f"is not valid JSON ({error})") from None


def doubled_keys(value: object) -> tuple[str, ...]:
    """Return the keys that stand twice in an object that was read; not in those inside it."""
    return value.doubled if isinstance(value, _Object) else ()


class _NoNumber(ValueError):
    pass


def _no_number(_word: str) -> NoReturn:
    raise _NoNumber("NaN and Infinity are no numbers")


def _integer(text: str) -> int:
    return int(text[:_LONGEST_NUMBER])


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = _Object(found)
    marked.doubled = tuple(
        key for key, times in Counter(key for key, _ in pairs).items() if times > 1
    )
    return marked


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_constant=_no_number
)
