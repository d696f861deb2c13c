"""What is wrong with a message, in plain words and without a word of the message itself.

The words end in logs, headers and an operator's terminal, and a value may be someone's e-mail
address. So only the names of declared fields, positions and limits are told, never an input.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LONGEST_PROBLEM = 500

# Raised by this package with a constant message.
_OUR_OWN = frozenset(
    {"printable", "one_at", "address", "address_length", "google_id", "instant", "whole_second"}
)

_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is missing",
    "json_invalid": lambda limits: f"is not valid JSON ({limits['error']})",
    "model_type": lambda _: "must be a JSON object",
    "string_type": lambda _: "must be a string",
    "string_unicode": lambda _: "must be text, without half a surrogate pair",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda limits: f"must have at most {limits['max_length']} characters",
    "string_pattern_mismatch": lambda limits: f"must match {limits['pattern']}",
    "list_type": lambda _: "must be a list",
    "too_short": lambda _: "must not be empty",
    "too_long": lambda limits: f"must have at most {limits['max_length']} entries",
    "literal_error": lambda limits: _one_of(limits["expected"]),
    "int_type": lambda _: "must be a whole number",
    "greater_than_equal": lambda limits: f"must be at least {limits['ge']}",
    "less_than_equal": lambda limits: f"must be at most {limits['le']}",
}


def describe_problem(error: ValidationError) -> str:
    """Return one line such as ``data.provider: must be one of google, office365, apple``.

    Several problems are joined by ``"; "``; the line is cut to 500 characters.
    """
    details = error.errors(include_url=False, include_input=False)
    text = "; ".join(f"{_where(detail['loc'])}: {_what(detail)}" for detail in details)
    return text if len(text) <= LONGEST_PROBLEM else f"{text[: LONGEST_PROBLEM - 1]}…"


def is_unsupported_version(error: ValidationError) -> bool:
    """Tell whether the event names a version other than the one that the model is for.

    Its other problems mean nothing then: another version may well look different.
    """
    return any(
        detail["loc"] == ("api_version",)
        and detail["type"] == "literal_error"
        and isinstance(detail["input"], str)
        for detail in error.errors(include_url=False, include_context=False)
    )


def _where(place: tuple[int | str, ...]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return path.removeprefix(".") or "body"


def _what(detail: "ErrorDetails") -> str:
    if detail["type"] in _OUR_OWN:
        return detail["msg"]
    words = _WORDS.get(detail["type"])
    return "is not valid" if words is None else words(detail.get("ctx", {}))


def _one_of(expected: str) -> str:
    """Turn pydantic's ``'a', 'b' or 'c'`` into words."""
    choices = expected.replace("'", "").replace(" or ", ", ")
    return f"must be one of {choices}" if ", " in choices else f"must be {choices}"
