"""The configuration: what is read, from where, and what is said about what is wrong."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from disconnect_fanout.adapters.crypto.vault import new_key
from disconnect_fanout.app.settings import (
    Settings,
    SettingsError,
    load_configuration,
    load_settings,
)

SECRET = "hunter2"  # noqa: S105 - what must not be shown


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no variable but the secret key."""
    monkeypatch.setattr("os.environ", {"FANOUT_SECRET_KEY": new_key()})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems() -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load_settings()
    return raised.value.problems


def test_only_the_secret_key_is_required_and_the_rest_are_the_contract_defaults() -> None:
    """With nothing but FANOUT_SECRET_KEY the defaults of CONTRACT section 7 hold."""
    settings = load_settings()
    assert settings.amqp_url.get_secret_value() == "amqp://guest:guest@127.0.0.1:5672/"
    assert settings.database_url.get_secret_value() == "sqlite+aiosqlite:///fanout.db"
    assert (settings.exchange, settings.prefix) == ("calendar.events", "fanout")
    assert settings.retry_schedule == (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert settings.max_age == sum(settings.retry_schedule) + 7 * 86400
    assert (settings.timeout, settings.link_grace, settings.drain_timeout) == (30, 2, 35)
    assert settings.history_retention == 30 * 86400
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 9464)
    assert settings.allow_http is False
    assert settings.allow_networks == ()


def test_a_missing_secret_key_says_what_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and `fanout init`."""
    monkeypatch.delenv("FANOUT_SECRET_KEY")
    (problem,) = problems()
    assert problem.startswith("FANOUT_SECRET_KEY is not set")
    assert "fanout init" in problem


def test_values_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durations with units, lists with commas, several keys."""
    keys = [new_key(), new_key()]
    monkeypatch.setenv("FANOUT_SECRET_KEY", ",".join(keys))
    monkeypatch.setenv("FANOUT_RETRY_SCHEDULE", "1s, 2s,4s")
    monkeypatch.setenv("FANOUT_TIMEOUT", "250ms")
    monkeypatch.setenv("FANOUT_ALLOW_NETWORKS", "127.0.0.0/8,::1/128")
    monkeypatch.setenv("FANOUT_ALLOW_HTTP", "true")
    monkeypatch.setenv("FANOUT_LOG_LEVEL", "DEBUG")
    settings = load_settings()
    assert settings.secret_keys == keys
    assert settings.retry_schedule == (1, 2, 4)
    assert settings.max_age == 7 + 7 * 86400
    assert settings.timeout == 0.25
    assert settings.allow_networks == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.log_level == "debug"


def test_everything_that_is_wrong_is_said_at_once_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line for each wrong variable: its name, its value, what is expected."""
    wrong = {
        "FANOUT_PREFETCH": "0",
        "FANOUT_TIMEOUT": "30",
        "FANOUT_DRAIN_TIMEOUT": "-1s",
        "FANOUT_HTTP_HOST": "a host",
        "FANOUT_API_HOST": "a" * 64,
        "FANOUT_HTTP_PORT": "http",
        "FANOUT_RETRY_SCHEDULE": "4s,2s",
        "FANOUT_DIRECTORY": "internal",
        "FANOUT_ALLOW_HTTP": "perhaps",
        "FANOUT_ALLOW_NETWORKS": "10.0.0.1/8",
        "FANOUT_EXCHANGE": "a b",
        "FANOUT_MAX_AGE": "0s",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    found = problems()
    assert {one.split()[0] for one in found} == set(wrong)
    assert all("; expected " in one for one in found)
    assert "FANOUT_TIMEOUT is '30'; expected a number with a unit: 250ms, 5s, 30m, 2h, 7d" in found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FANOUT_SECRET_KEY", SECRET),
        ("FANOUT_AMQP_URL", f"http://user:{SECRET}@broker/"),
        ("FANOUT_AMQP_URL", f"amqp://user:{SECRET}@broker:port/"),
        ("FANOUT_DATABASE_URL", f"mysql://user:{SECRET}@host/name"),
        ("FANOUT_DATABASE_URL", f"postgresql+asyncpg://user:{SECRET}@host"),
        ("FANOUT_DATABASE_URL", "sqlite+aiosqlite://"),
    ],
)
def test_a_problem_never_repeats_a_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Wrong secrets and URLs are named, and not a character of them is shown."""
    monkeypatch.setenv(name, value)
    (problem,) = problems()
    assert problem.startswith(name)
    assert SECRET not in problem


def test_settings_never_print_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither key nor password is in what a log or a traceback would show."""
    monkeypatch.setenv("FANOUT_AMQP_URL", f"amqp://user:{SECRET}@broker/")
    settings = load_settings()
    assert SECRET not in repr(settings)
    assert settings.secret_keys[0] not in repr(settings)


def test_a_secret_may_be_in_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FANOUT_…_FILE names a file; a trailing line end is no part of the secret."""
    key = new_key()
    (folder / "key").write_text(f"{key}\n")
    monkeypatch.setattr("os.environ", {"FANOUT_SECRET_KEY_FILE": str(folder / "key")})
    assert load_settings().secret_keys == [key]


def test_a_file_that_is_not_there_is_one_problem_among_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreadable secret file does not hide what else is wrong."""
    monkeypatch.setenv("FANOUT_DATABASE_URL_FILE", str(folder / "nothing"))
    monkeypatch.setenv("FANOUT_PREFETCH", "none")
    found = problems()
    assert [one.split()[0] for one in found] == ["FANOUT_DATABASE_URL", "FANOUT_PREFETCH"]
    assert "No such file" in found[0]


def test_the_environment_wins_over_the_env_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .env in the working directory fills in what the environment does not say."""
    (folder / ".env").write_text("FANOUT_PREFETCH=7\nFANOUT_PREFIX=from_file\nOTHER=x\n")
    monkeypatch.setenv("FANOUT_PREFETCH", "9")
    settings = load_settings()
    assert (settings.prefetch, settings.prefix) == (9, "from_file")


def test_an_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass on unset variables as empty ones."""
    monkeypatch.setenv("FANOUT_TIMEOUT", "")
    assert load_settings().timeout == 30


def test_an_env_file_that_is_no_text_is_a_plain_problem(folder: Path) -> None:
    """Not a traceback."""
    (folder / ".env").write_bytes(b"FANOUT_PREFIX=\xff")
    assert problems() == [
        ".env can't be read: it is not UTF-8 text; expected a file with lines of NAME=value"
    ]


def test_an_unknown_variable_is_a_warning_with_the_closest_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt setting does not stop anything, but it is named; the API's own are known."""
    monkeypatch.setenv("FANOUT_TIMOUT", "5s")
    monkeypatch.setenv("FANOUT_API_HOST", "10.0.0.1")
    monkeypatch.setenv("FANOUT_API_PORT", "8080")
    (folder / ".env").write_text("FANOUT_PREFECH=7\n")
    prefetch, timeout = load_configuration().warnings
    assert prefetch.startswith("FANOUT_PREFECH ")
    assert "FANOUT_PREFETCH?" in prefetch
    assert "FANOUT_TIMEOUT?" in timeout


def test_every_setting_of_the_contract_is_there() -> None:
    """The names of CONTRACT section 7 are fields of the settings."""
    names = (
        "amqp_url database_url secret_key retry_schedule timeout prefetch max_in_flight "
        "max_in_flight_per_platform drain_timeout history_retention directory log_level log_format"
    )
    assert set(names.split()) <= set(Settings.model_fields)


def test_two_settings_that_contradict_each_other_are_both_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No platform can be given more slots than there are; unset, its share follows the whole."""
    monkeypatch.setenv("FANOUT_MAX_IN_FLIGHT", "8")
    assert load_settings().max_in_flight_per_platform == 8
    monkeypatch.setenv("FANOUT_MAX_IN_FLIGHT_PER_PLATFORM", "9")
    (problem,) = problems()
    assert problem.startswith(
        "FANOUT_MAX_IN_FLIGHT_PER_PLATFORM is 9, which is more than FANOUT_MAX_IN_FLIGHT (8)"
    )


def test_a_schedule_that_goes_back_names_the_two_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a person sees which of nine."""
    monkeypatch.setenv("FANOUT_RETRY_SCHEDULE", "1s,5m,30s,2h")
    (problem,) = problems()
    assert problem.startswith("FANOUT_RETRY_SCHEDULE has a wait of 30s after one of 300s")


@pytest.mark.parametrize("value", ["off", "http://127.0.0.1:15672", f"https://m:{SECRET}@[::1]/a"])
def test_the_management_api_may_be_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A URL, with a password that is not shown, or `off`; empty means unset: beside the broker."""
    monkeypatch.setenv("FANOUT_MANAGEMENT_URL", value)
    settings = load_settings()
    assert settings.management_url is not None
    assert settings.management_url.get_secret_value() == value
    assert SECRET not in repr(settings)
    monkeypatch.setenv("FANOUT_MANAGEMENT_URL", "")
    assert load_settings().management_url is None


@pytest.mark.parametrize("value", ["on", "ftp://a/", f"http://a:{SECRET}@h:x/", "http://a /"])
def test_what_is_no_management_api_is_said_without_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """By name, and without the password that it may hold."""
    monkeypatch.setenv("FANOUT_MANAGEMENT_URL", value)
    (problem,) = problems()
    assert problem.startswith("FANOUT_MANAGEMENT_URL ")
    assert SECRET not in problem
