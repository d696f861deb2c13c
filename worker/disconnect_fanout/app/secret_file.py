"""``FANOUT_…_FILE``: a secret in a file, as Docker and Kubernetes mount it."""

import re
from dataclasses import dataclass
from pathlib import Path

from disconnect_fanout.app.small_file import Unreadable, read_small

_SECRET_ITSELF = re.compile(r"://|[\w-]{43}=", re.ASCII)  # a URL or a key where a path belongs


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """Stands in for the value, so that it is reported together with all other problems.

    Attributes:
        words: which file, and why; they hold no secret.
    """

    words: str


def content(path: str) -> str | UnreadableFile:
    """Return a file's text without the blanks around it, or why there is none."""
    if _SECRET_ITSELF.search(path):
        return UnreadableFile("is to be read from a file, and no path of one is given")
    try:
        text = read_small(Path(path)).removeprefix("\ufeff").strip()
    except Unreadable as error:
        return UnreadableFile(f"can't be read from the file {path!r} ({error})")
    return text or UnreadableFile(f"can't be read from the file {path!r} (it is empty)")
