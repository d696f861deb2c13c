"""Where the settings come from: variables of the environment, of ``.env``, and secrets' files."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from disconnect_fanout.app.secret_file import content

_FILE = "_FILE"


class Variables(EnvSettingsSource):
    """Variables of one place.

    Args:
        settings: the class to be filled.
        given: by name; small letters mean the same, and an empty one (compose passes them on) none.
    """

    def __init__(self, settings: type[BaseSettings], given: Mapping[str, str]) -> None:
        self._given = given
        super().__init__(settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): text for name, text in self._given.items() if text}


class SecretFiles(PydanticBaseSettingsSource):
    """``FANOUT_…_FILE`` of the same place: reads the files that variables name.

    Args:
        variables: of that place.
        secrets: the settings that may be in a file.
    """

    def __init__(self, variables: Variables, secrets: Collection[str]) -> None:
        super().__init__(variables.settings_cls)
        self._paths = {
            name: path
            for name in secrets
            if (path := variables.env_vars.get(f"{variables.env_prefix}{name}{_FILE}".lower()))
        }

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return what the file holds, or what stands for a file that can't be read."""
        return content(self._paths[field_name]), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that are kept in files."""
        fields = self.settings_cls.model_fields
        return {name: self.get_field_value(fields[name], name)[0] for name in self._paths}


def ours(given: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the variables with our prefix, by their names in capitals."""
    folded = ((name.upper(), text) for name, text in given.items())
    return {name: text for name, text in folded if name.startswith(prefix)}


def given_twice(given: Mapping[str, str], secrets: Collection[str], place: str) -> list[str]:
    """Return a problem for each secret that is given twice: either may be the one of yesterday.

    Args:
        given: the variables of one place.
        secrets: names of variables that may name a file instead.
        place: where they are, as a person calls it.
    """
    return [
        f"{name} and {name}{_FILE} are both set in {place}; expected one of them"
        for name in sorted(secrets)
        if given.get(name) and given.get(f"{name}{_FILE}")
    ]
