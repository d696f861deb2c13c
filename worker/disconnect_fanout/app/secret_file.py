"""``FANOUT_…_FILE``: a secret in a file, as Docker and Kubernetes mount it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from disconnect_fanout.app.small_file import Unreadable, read_small


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """Stands in for the value, so that it is reported together with all other problems."""

    path: str
    why: str


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files that variables name.

    Args:
        settings: the class to be filled.
        variables: environment or ``.env``, names in lower case.
        prefix: of the variables.
        fields: those that may be kept in a file.
    """

    def __init__(
        self,
        settings: type[BaseSettings],
        variables: Mapping[str, str | None],
        prefix: str,
        fields: Collection[str],
    ) -> None:
        super().__init__(settings)
        self._variables = variables
        self._prefix = prefix.lower()
        self._fields = fields

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the content of the file, if one is named."""
        path = self._variables.get(f"{self._prefix}{field_name}_file")
        return (_content(path) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that are kept in files."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in self._fields}
        return {name: value for name, value in found.items() if value is not None}


def _content(path: str) -> str | UnreadableFile:
    try:
        return read_small(Path(path)).strip()
    except Unreadable as error:
        return UnreadableFile(path, str(error))
