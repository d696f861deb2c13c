"""An error always has words, also where whoever raised it gave it none."""

import errno
from concurrent.futures import CancelledError

import pytest

from disconnect_fanout.policy.wording.error_words import error_words, first_line, system_words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "TimeoutError: no answer in time"),
        (CancelledError(), "CancelledError: it was given up"),
        (OSError(), "OSError: no more was said"),
        (OSError(None, None), "OSError: no more was said"),
        (OSError("Multiple exceptions: a, b"), "OSError: Multiple exceptions: a, b"),
        (ConnectionResetError(), "ConnectionResetError: the connection ended"),
        (BrokenPipeError(), "BrokenPipeError: the connection ended"),
        (ConnectionRefusedError(), "ConnectionRefusedError: the connection was refused"),
        (EOFError(), "EOFError: the connection ended"),
        (MemoryError(), "MemoryError: no memory was left"),
        (RuntimeError(" \n"), "RuntimeError: no more was said"),
        (RuntimeError("\n\n  the third line\nthe fourth"), "RuntimeError: the third line"),
        (RuntimeError(None), "RuntimeError: no more was said"),
        (RuntimeError(()), "RuntimeError: no more was said"),
        (KeyboardInterrupt(), "KeyboardInterrupt: interrupted"),
    ],
)
def test_no_error_goes_without_words(error: BaseException, words: str) -> None:
    """Its kind, and its own first line that says something, or what such an error means."""
    assert error_words(error) == words


def test_the_words_are_one_line_of_a_bounded_length() -> None:
    """What quotes a whole answer does not fill a log."""
    assert len(error_words(ValueError("x" * 1000))) == 300
    assert first_line(ValueError("a\nb")) == "a"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EACCES, "Permission denied"), "Permission denied"),
        (OSError("no number"), "no number"),
        (OSError(), "no more was said"),
        (OSError(errno.EACCES, None), "error 13 of the system"),
        (TimeoutError(), "no answer in time"),
    ],
)
def test_a_file_that_fails_has_the_systems_words(error: OSError, words: str) -> None:
    """Without a number; never the word None."""
    assert system_words(error) == words
