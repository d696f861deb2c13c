"""The id of a Google account: digits, and always a text."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

LONGEST_GOOGLE_ID = 128
GOOGLE_ID = "^[0-9]+$"


def _no_number(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError(
            "google_id",
            "must be a string or null: as a number it loses digits (real ids exceed 2^53)",
        )
    return value


def is_google_id(text: str) -> bool:
    """Tell whether the text may be one: what a spreadsheet makes of it (1.05E+11) is none."""
    return 0 < len(text) <= LONGEST_GOOGLE_ID and text.isascii() and text.isdigit()


def _digits(text: str) -> str:
    if not is_google_id(text):
        raise PydanticCustomError("google_id", "must be digits only, such as 105942374304")
    return text


GoogleId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_GOOGLE_ID),
    BeforeValidator(_no_number),
    AfterValidator(_digits),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_GOOGLE_ID,
            "pattern": GOOGLE_ID,
            "not": {"pattern": "\\s"},  # in some dialects $ is before a line's end too
        }
    ),
]
"""1 to 128 ASCII digits. Compared as they are: a leading zero is another account."""
