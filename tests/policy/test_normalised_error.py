"""What failures are grouped by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.wording.normalised_error import LONGEST, normalised_error

WORDS = {
    "no complete answer within 30 s": "no complete answer within …",
    "no complete answer within 2.5s": "no complete answer within …",
    "Connection refused": "Connection refused",
    "TLS: certificate has expired": "TLS: certificate has expired",
    "TLS: Hostname mismatch, certificate is not valid for 'luma.example'.": (
        "TLS: Hostname mismatch, certificate is not valid for …"
    ),
    "TLS: IP address mismatch, certificate is not valid for '10.0.0.1'.": (
        "TLS: IP address mismatch, certificate is not valid for …"
    ),
    "the host name does not resolve": "the host name does not resolve",
    "the connection ended without a complete answer (ServerDisconnectedError)": (
        "the connection ended without a complete answer (ServerDisconnectedError)"
    ),
    "cannot connect to 192.0.2.7:443": "cannot connect to …",
    "cannot connect to [2001:db8::1]:443, then ::1": "cannot connect to …, then …",
    "cannot connect to hooks.luma.example:8443": "cannot connect to …",
    "no answer from https://luma.example/hook?token=1": "no answer from …",
    "alice@example.com is unknown": "… is unknown",
    "at 0x7f3a9c object 3f2a99ab01": "at … object …",
    "errno -104, 17 bytes read": "errno … read",
    "  out \n of\torder. ": "out of order",
    "": "no answer",
    " . ": "no answer",
}


def test_an_answer_is_known_by_the_class_of_its_status() -> None:
    """Whatever it says: a page of HTML differs each time."""
    for status, expected in {500: "5xx", 503: "5xx", 404: "4xx", 301: "3xx", 199: "1xx"}.items():
        assert normalised_error(status, "<html>request 4711</html>") == expected


@pytest.mark.parametrize(("words", "expected"), WORDS.items())
def test_words_lose_what_differs_each_time(words: str, expected: str) -> None:
    """Numbers, addresses, names and what is quoted go; the kind of failure stays."""
    assert normalised_error(None, words) == expected


@given(st.text(max_size=400))
def test_any_words_become_a_short_line_without_numbers(words: str) -> None:
    """Whatever a library says fits its column, and no count or port splits a group."""
    once = normalised_error(None, words)
    assert 0 < len(once) <= LONGEST
    assert "\n" not in once
    assert not any("0" <= char <= "9" for char in once)


@pytest.mark.parametrize(
    "words",
    [
        "cannot reach alice@example.com",
        "TLS: certificate is for <Alice+tag@Example.COM>",
        "user alice%40example.com (105942374304) is unknown",
        'echo {"user_email":"alice@example.com","google_id":"105942374304"}',
        "google-105942374304x",
        "josé@bücher.example / alice\uff20example.com",
    ],
)
def test_no_user_is_in_an_error(words: str) -> None:
    """It stays in clear to be grouped by: a status says no words at all, and words say no name."""
    assert normalised_error(500, words) == "5xx"
    shown = normalised_error(None, words).lower()
    for part in ("alice", "josé", "bücher", "example", "1059", "304"):
        assert part not in shown
