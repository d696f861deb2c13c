"""A Google account id: digits, as text.

What spreadsheets make of one (``1.05942E+11``, ``105942374304.0``) is another id or none. Where it
comes in it is refused; where it is stored already it counts as no id, so that the address decides.
"""

from typing import TypeGuard

LONGEST_GOOGLE_ID = 128
"""Google's have up to 21 digits so far; as every other identifier it may be longer."""


def is_google_id(text: str | None) -> TypeGuard[str]:
    """Tell whether a text is 1 to 128 ASCII digits; a full-width digit is none."""
    return (
        text is not None
        and 0 < len(text) <= LONGEST_GOOGLE_ID
        and text.isascii()
        and text.isdigit()
    )


def account(text: str | None) -> str | None:
    """Return what is stored or published as a Google id, or None if it can't be one."""
    return text if is_google_id(text) else None
