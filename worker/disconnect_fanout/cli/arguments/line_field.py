"""Single fields of a line that is imported. A problem names the field and never repeats a value."""

from collections.abc import Callable

from disconnect_fanout.domain.google_id import is_google_id

_LARGEST = 2**63 - 1
GOOGLE_ID_SHAPE = "digits and nothing else, such as 105942374304"
_FLAGS = {"true": True, "false": False}


def optional_text(name: str, value: object) -> str | None:
    """Return a text, or None: absent, null and empty are the same."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be a string")  # noqa: TRY004 - a problem of the file
    return value.strip() or None


def google_id_of(value: object) -> str | None:
    """Return a Google id, or None: absent, null and empty are the same, a cell of blanks is not.

    A number is refused, in JSON too: whoever wrote it as one may have rounded it.
    """
    text = optional_text("google_id", value)
    if is_google_id(text) or (text is None and not value):
        return text
    raise ValueError(f"google_id: expected {GOOGLE_ID_SHAPE}")


def optional_number(name: str, value: object) -> int | None:
    """Return a whole number that is not negative, also written as text as in CSV, or None."""
    if isinstance(value, str):
        value = value.strip()
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else value  # noqa: PLR2004
    if value is None or value == "":
        return None
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise ValueError(f"{name}: expected a whole number")
    return value


def flag(name: str, value: object) -> bool:
    """Return a truth value, also written as text as in CSV; absent is false."""
    if value is None or value == "":
        return False
    found = _FLAGS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError(f"{name}: expected true or false")  # noqa: TRY004 - a problem of the file
    return found


def named(name: str, valid: Callable[[str], str], text: str) -> str:
    """Return a text that ``valid`` accepts."""
    try:
        return valid(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
