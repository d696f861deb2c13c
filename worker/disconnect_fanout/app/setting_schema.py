"""The settings, described for machines: a JSON Schema of the ``FANOUT_*`` variables."""

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from disconnect_fanout.app.settings import PREFIX, SECRETS, Settings


def settings_schema() -> dict[str, Any]:
    """Return the schema; all values are text, as in an environment. Holds no value of yours."""
    fields = Settings.model_fields
    properties = {f"{PREFIX}{name.upper()}": _property(one) for name, one in fields.items()}
    for name in sorted(SECRETS):
        words = f"a file that holds {PREFIX}{name.upper()}"
        properties[f"{PREFIX}{name.upper()}_FILE"] = {"type": "string", "description": words}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:disconnect-fanout:schema:config",
        "title": "Configuration of disconnect-fanout",
        "type": "object",
        "properties": properties,
        "anyOf": [
            {"required": [f"{PREFIX}SECRET_KEY"]},
            {"required": [f"{PREFIX}SECRET_KEY_FILE"]},
        ],
    }


def _property(field: FieldInfo) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string", "description": field.description}
    default = _text(field.default)
    if default is not None and field.annotation is float and _is_rate(field):
        default = f"{field.default:g}/s"
    return found if default is None else {**found, "default": default}


def _is_rate(field: FieldInfo) -> bool:
    return "/s" in (field.description or "")


def _text(default: Any) -> str | None:  # noqa: ANN401 - of any setting
    if default is PydanticUndefined or default is None:
        return None
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(f"{one:g}s" for one in default)
    if hasattr(default, "get_secret_value"):  # the defaults are public: guest at this machine
        return str(default.get_secret_value())
    return f"{default:g}s" if isinstance(default, float) else str(default)
