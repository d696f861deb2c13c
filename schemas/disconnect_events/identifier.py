"""Strings that name something: bounded, and nothing in them that a person could not see."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from disconnect_events.address import ADDRESS, LONGEST_ADDRESS, compared_length, is_address

LONGEST_IDENTIFIER = 128

# Control characters, every kind of space, and the format characters that show as nothing or turn
# the text around them (zero-width, bidirectional). As a character class without escapes, so that
# each regular-expression dialect reads the exported schema alike.
INVISIBLE = (
    "["
    "\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
    "]"
)

_UNPRINTABLE = re.compile(INVISIBLE[:-1] + "\ud800-\udfff]")  # half a surrogate can't be encoded


def _printable(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise PydanticCustomError("printable", "must hold no space, control or invisible character")
    return text


def is_email(text: str) -> bool:
    """Tell whether an event may name this address."""
    try:
        return len(_address(text)) <= LONGEST_ADDRESS
    except PydanticCustomError:
        return False


def is_identifier(text: str) -> bool:
    """Tell whether an event, a platform or a delivery may be named so."""
    return 0 < len(text) <= LONGEST_IDENTIFIER and not _UNPRINTABLE.search(text)


def _address(text: str) -> str:
    if text.count("@") != 1:
        raise PydanticCustomError("one_at", "must be an address with exactly one @")
    _printable(text)
    if not is_address(text):
        raise PydanticCustomError(
            "address", "must be an address alone, such as alice@example.com, with nothing around it"
        )
    if compared_length(text) > LONGEST_ADDRESS:
        raise PydanticCustomError(
            "address_length",
            "must have at most 320 characters, those of its domain counted in ASCII (xn--)",
        )
    return text


Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_IDENTIFIER),
    AfterValidator(_printable),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_IDENTIFIER,
            "not": {"pattern": INVISIBLE},
        }
    ),
]
"""1 to 128 printable characters without spaces. Compared as they are, never trimmed or folded."""

Email = Annotated[
    str,
    StringConstraints(max_length=LONGEST_ADDRESS),
    AfterValidator(_address),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": LONGEST_ADDRESS,
            "pattern": ADDRESS,
            "not": {"pattern": INVISIBLE},
        }
    ),
]
"""One address, as ``disconnect_events.address`` says, without spaces or invisible characters."""
