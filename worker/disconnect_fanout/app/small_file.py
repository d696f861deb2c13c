"""Files that hold little, such as a secret: whatever is named, no more than a little is read."""

import os
import select
from pathlib import Path
from typing import TextIO

from disconnect_fanout.policy.wording.error_words import system_words

MOST = 64 * 1024
"""Characters; the longest chain of certificates that anybody uses has fewer."""


SPOKEN_WITHIN_S = 30.0
"""A pipe into which nobody writes would be waited for without an end, and without a word."""


class Unreadable(Exception):
    """Why a file can't be used, in words that hold nothing of it."""


def read_small(
    source: Path | TextIO, *, encoding: str = "utf-8", within_s: float = SPOKEN_WITHIN_S
) -> str:
    """Return all of a file's text.

    Args:
        source: a path, or what is open already.
        encoding: of the text.
        within_s: how long a pipe may say nothing.

    Raises:
        Unreadable: it can't be opened, is no text, or is longer than that.
    """
    try:
        if isinstance(source, Path):
            with _opened(source, encoding, within_s) as file:
                text = file.read(MOST + 1)
        else:
            text = source.read(MOST + 1)
    except OSError as error:
        raise Unreadable(system_words(error)) from None
    except UnicodeDecodeError:
        raise Unreadable(f"it is not {encoding.upper()} text") from None
    except ValueError:  # a NUL
        raise Unreadable("that is no path") from None
    if len(text) > MOST:
        raise Unreadable(f"it is longer than {MOST} characters")
    return text


def _opened(path: Path, encoding: str, within_s: float) -> TextIO:
    """Open a file; of a pipe, wait a while for its first word or its end."""
    if not path.is_fifo():
        return path.open(encoding=encoding)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not select.select([descriptor], [], [], within_s)[0]:
        os.close(descriptor)
        raise Unreadable(f"it is a pipe into which nobody wrote for {within_s:g} s")
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, encoding=encoding)
