"""Strings that name something: bounded, and nothing in them that a person could not see."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

LONGEST_IDENTIFIER = 128
LONGEST_EMAIL = 320  # RFC 5321: 64 for the local part, the @, 255 for the domain

# Control characters, every kind of space, and the format characters that show as nothing or turn
# the text around them (zero-width, bidirectional). As a character class without escapes, so that
# each regular-expression dialect reads the exported schema alike.
INVISIBLE = (
    "["
    "\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
    "]"
)
EMAIL_SHAPE = "^[^@]+@[^@]+$"

_UNPRINTABLE = re.compile(INVISIBLE[:-1] + "\ud800-\udfff]")  # half a surrogate can't be encoded
_EMAIL_SHAPE = re.compile(EMAIL_SHAPE)


def _printable(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise PydanticCustomError("printable", "must hold no space, control or invisible character")
    return text


def _one_at(text: str) -> str:
    if not _EMAIL_SHAPE.fullmatch(text):
        raise PydanticCustomError("one_at", "must be an address with exactly one @")
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
    StringConstraints(max_length=LONGEST_EMAIL),
    AfterValidator(_one_at),
    AfterValidator(_printable),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": LONGEST_EMAIL,
            "pattern": EMAIL_SHAPE,
            "not": {"pattern": INVISIBLE},
        }
    ),
]
"""Something with one @. No further rule: upstream knows its users, and alice@localhost is one."""
