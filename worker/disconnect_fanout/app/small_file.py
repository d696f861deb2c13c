"""Files that hold little, such as a secret: whatever is named, no more than a little is read."""

from pathlib import Path
from typing import TextIO

from disconnect_fanout.policy.wording.error_words import system_words

MOST = 64 * 1024
"""Characters; the longest chain of certificates that anybody uses has fewer."""


class Unreadable(Exception):
    """Why a file can't be used, in words that hold nothing of it."""


def read_small(source: Path | TextIO, *, encoding: str = "utf-8") -> str:
    """Return all of a file's text.

    Raises:
        Unreadable: it can't be opened, is no text, or is longer than that.
    """
    try:
        if isinstance(source, Path):
            with source.open(encoding=encoding) as file:
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
