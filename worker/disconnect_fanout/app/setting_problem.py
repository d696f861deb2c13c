"""What is wrong with the configuration, in plain words: the name, the fault, what is expected."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_NOT_CALLED = "default_factory_not_called"  # a consequence of another problem, never one itself


class SettingsError(Exception):
    """The configuration can't be used.

    Attributes:
        problems: one line each, all of them; no line repeats a secret.
        warnings: what may be the cause: a misspelt variable.
    """

    def __init__(self, problems: list[str], warnings: Sequence[str] = ()) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.warnings = warnings


def problems_of(
    error: ValidationError, fields: Mapping[str, FieldInfo], prefix: str, secrets: set[str]
) -> list[str]:
    """Return one line for each variable that is wrong.

    Args:
        error: of the settings model.
        fields: the model's; their descriptions say what is expected.
        prefix: of the variables.
        secrets: names of the fields whose value is never repeated.
    """
    lines: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0])
        if detail["type"] != _NOT_CALLED and name in fields and name not in lines:
            fault = _fault(detail, secret=name in secrets)
            expected = fields[name].description
            lines[name] = f"{prefix}{name.upper()} {fault}; expected {expected}"
    return list(lines.values())


def _fault(detail: ErrorDetails, *, secret: bool) -> str:
    if detail["type"] in {"missing", "too_short"}:
        return "is not set"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return "is not valid" if secret else f"is {detail['input']!r}"
