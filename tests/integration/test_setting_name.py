"""A variable that nothing reads is named with the setting that was meant, or with none."""

import pytest

from disconnect_fanout.app.setting_name import suggestions, unknown_variable
from disconnect_fanout.app.settings import SECRETS, Settings

NAMES = sorted(name.upper() for name in Settings.model_fields)
KNOWN = [*NAMES, *(f"{name.upper()}_FILE" for name in SECRETS)]

MEANT = {
    "RETRY": "RETRY_SCHEDULE",
    "RETRY_SCHED": "RETRY_SCHEDULE",
    "SCHEDULE": "RETRY_SCHEDULE",
    "SCHEDULE_RETRY": "RETRY_SCHEDULE",
    "DIR": "DIRECTORY",
    "DRAIN": "DRAIN_TIMEOUT",
    "AMQP": "AMQP_URL",
    "AMQPURL": "AMQP_URL",
    "DATABASE": "DATABASE_URL",
    "DATABASE_FILE": "DATABASE_URL_FILE",
    "SECRET": "SECRET_KEY",
    "KEY": "SECRET_KEY",
    "SECRET_KEY_FIL": "SECRET_KEY_FILE",
    "PREFIX_FILE": "PREFIX",
    "TIMEOUT_SECONDS": "TIMEOUT",
    "HISTORY": "HISTORY_RETENTION",
    "LEVEL": "LOG_LEVEL",
    "ALLOW_NETWORK": "ALLOW_NETWORKS",
    "PER_PLATFORM": "MAX_IN_FLIGHT_PER_PLATFORM",
}


@pytest.mark.parametrize(("name", "meant"), MEANT.items())
def test_the_setting_that_was_meant_is_suggested(name: str, meant: str) -> None:
    """It alone, whatever else has letters in common: RETRY is no DIRECTORY."""
    assert suggestions(name, KNOWN) == [meant]


@pytest.mark.parametrize("name", ["", "_", "COLOUR", "BROKER", "X", "WORKERS", "REGION", "OSI"])
def test_what_is_like_nothing_is_not_guessed(name: str) -> None:
    """No hint is better than a wrong one."""
    assert suggestions(name, KNOWN) == []
    assert unknown_variable(f"FANOUT_{name}", KNOWN, "FANOUT_").endswith("has no effect")


def test_of_several_all_are_named() -> None:
    """`FANOUT_LOG` is either."""
    words = unknown_variable("FANOUT_LOG", [f"FANOUT_{one}" for one in KNOWN], "FANOUT_")
    assert words.endswith("; did you mean FANOUT_LOG_FORMAT or FANOUT_LOG_LEVEL?")


@pytest.mark.parametrize("meant", NAMES)
def test_a_name_that_was_cut_short_is_found(meant: str) -> None:
    """From its first whole word on, every beginning of it leads to it, unless to many."""
    shortest = len(meant.split("_", maxsplit=1)[0])
    for length in range(shortest, len(meant)):
        name = meant[:length].rstrip("_")
        found = suggestions(name, KNOWN)
        many = sum(one.startswith(name) for one in NAMES) > 4
        assert name in KNOWN or meant in found or (many and not found), name


@pytest.mark.parametrize("meant", NAMES)
def test_a_typing_error_is_found(meant: str) -> None:
    """A letter left out, doubled, or two of them swapped, anywhere in the name."""
    for at in range(len(meant)):
        head, letter, tail = meant[:at], meant[at], meant[at + 1 :]
        for name in {head + tail, head + 2 * letter + tail, head + tail[:1] + letter + tail[1:]}:
            assert name in KNOWN or meant in suggestions(name, KNOWN), name
