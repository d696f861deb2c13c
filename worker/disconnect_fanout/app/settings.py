"""The configuration: ``FANOUT_*`` variables, ``FANOUT_…_FILE`` for secrets, or a ``.env``.

The environment wins over ``.env``. Everything that is wrong is said at once, by name.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from disconnect_fanout.app.env_file import read_env_file
from disconnect_fanout.app.setting_name import unknown_variable
from disconnect_fanout.app.setting_problem import SettingsError, problems_of
from disconnect_fanout.app.setting_types import (
    AmqpUrl,
    Count,
    DatabaseUrl,
    Duration,
    Host,
    ManagementUrl,
    Networks,
    PerSecond,
    Port,
    PositiveDuration,
    RetrySchedule,
    SecretKeys,
    Share,
    TopologyName,
)
from disconnect_fanout.app.variables import SecretFiles, Variables, given_twice, ours
from disconnect_fanout.domain.duration import ACCEPTED_FORMS
from disconnect_fanout.policy.backoff import DEFAULT_SCHEDULE

__all__ = ["Configuration", "Settings", "SettingsError", "load_configuration", "load_settings"]

ENV_FILE = ".env"
PREFIX = "FANOUT_"
SECRETS = {"amqp_url", "database_url", "management_url", "secret_key"}
_WEEK_S = 7 * 86400.0
_NAME_FORM = "1 to 64 letters, digits, '_', '.' or '-'"
_COUNT_FORM = "a whole number from 1 to 65535"
_HOST_FORM = "an address or a name of this machine, such as 127.0.0.1 or ::1"
_PORT_FORM = "a port number from 0 to 65535; 0 takes a free one"
_LOWER = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


def _patience(settings: dict[str, Any]) -> float:
    return float(sum(settings["retry_schedule"])) + _WEEK_S


class Settings(BaseSettings):
    """What can be configured. Durations are seconds; each field's description is its help text."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    amqp_url: AmqpUrl = Field(
        SecretStr("amqp://guest:guest@127.0.0.1:5672/"),
        description="amqp://user:password@host:5672/vhost, or amqps://…",
    )
    management_url: ManagementUrl = Field(
        None,
        description="http://host:15672 or https://…, with user:password@ if not AMQP's; off asks "
        "nobody; unset it is beside FANOUT_AMQP_URL, at 15672 (amqps: https, 15671)",
    )
    database_url: DatabaseUrl = Field(
        SecretStr("sqlite+aiosqlite:///fanout.db"),
        description="sqlite+aiosqlite:///fanout.db or postgresql+asyncpg://user:password@host/name",
    )
    secret_key: SecretKeys = Field(
        description="one or more Fernet keys, separated by commas; "
        "`fanout init` writes a .env with a fresh one",
    )
    exchange: TopologyName = Field("calendar.events", description=_NAME_FORM)
    prefix: TopologyName = Field("fanout", description=_NAME_FORM)
    retry_schedule: RetrySchedule = Field(
        DEFAULT_SCHEDULE, description="waits such as 5s,5m,2h, none shorter than the one before it"
    )
    max_age: PositiveDuration = Field(
        default_factory=_patience, description=f"how long a delivery may be tried: {ACCEPTED_FORMS}"
    )
    timeout: PositiveDuration = Field(30.0, description=ACCEPTED_FORMS)
    link_grace: Duration = Field(2.0, description=ACCEPTED_FORMS)
    prefetch: Count = Field(200, description=_COUNT_FORM)
    max_in_flight: Count = Field(256, description=_COUNT_FORM)
    max_in_flight_per_platform: Share = Field(
        default_factory=lambda settings: min(settings["max_in_flight"], 32),
        description=f"{_COUNT_FORM}, and no more than FANOUT_MAX_IN_FLIGHT",
    )
    drain_timeout: Duration = Field(35.0, description=ACCEPTED_FORMS)
    history_retention: PositiveDuration = Field(30 * 86400.0, description=ACCEPTED_FORMS)
    directory: Annotated[Literal["external", "managed"], _LOWER] = Field(
        "external", description="external or managed"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _LOWER] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Annotated[Literal["json", "console"], _LOWER] = Field(
        "json", description="json or console"
    )
    http_host: Host = Field("127.0.0.1", description=_HOST_FORM)
    http_port: Port = Field(9464, description=_PORT_FORM)
    api_host: Host = Field("127.0.0.1", description=_HOST_FORM)
    api_port: Port = Field(8080, description=_PORT_FORM)
    api_rate: PerSecond = Field(100.0, description="requests for each key, such as 100/s")
    allow_http: bool = Field(default=False, description="true or false")
    allow_networks: Networks = Field((), description="networks such as 127.0.0.0/8,::1/128")

    @property
    def secret_keys(self) -> list[str]:
        """The Fernet keys in clear, for the vault; the first one seals."""
        return [key.get_secret_value() for key in self.secret_key]

    @property
    def learns_links(self) -> bool:
        """Whether events open and close links."""
        return self.directory == "managed"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and what was said that has no effect."""

    settings: Settings
    warnings: list[str]


def load_configuration() -> Configuration:
    """Return the configuration.

    Raises:
        SettingsError: with everything that is wrong.
    """
    file = read_env_file(Path(ENV_FILE))
    places = {"the environment": ours(os.environ, PREFIX), ENV_FILE: ours(file.variables, PREFIX)}
    warnings = [*file.warnings, *_unknown({name for given in places.values() for name in given})]
    problems = [*file.problems]
    for place, given in places.items():
        problems += given_twice(given, [f"{PREFIX}{one.upper()}" for one in SECRETS], place)
    try:
        settings = _reading(places.values())()
    except ValidationError as error:
        problems += problems_of(error, Settings.model_fields, PREFIX, SECRETS)
        raise SettingsError(problems, warnings) from None
    if problems:
        raise SettingsError(problems, warnings)
    return Configuration(settings, warnings)


def _reading(places: Collection[Mapping[str, str]]) -> type[Settings]:
    """Return the settings as they are read from these places; the first one wins."""

    class Read(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            *_: PydanticBaseSettingsSource,
            **__: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources: list[PydanticBaseSettingsSource] = []
            for given in places:
                variables = Variables(settings_cls, given)
                sources += [variables, SecretFiles(variables, SECRETS)]
            return tuple(sources)

    return Read


def load_settings() -> Settings:
    """Return the settings alone.

    Raises:
        SettingsError: with everything that is wrong.
    """
    return load_configuration().settings


def _unknown(names: Collection[str]) -> list[str]:
    """Return a warning for each ``FANOUT_*`` variable that nothing reads."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    return [unknown_variable(name, known, PREFIX) for name in sorted(set(names) - known)]
