"""A variable that nothing reads, and the setting that was meant."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

_ALIKE = 0.8  # below it names are as far apart as RETRY and DIRECTORY
_MOST = 4  # more of them help nobody
_IN_FILE = "_FILE"


def unknown_variable(name: str, known: Collection[str], prefix: str) -> str:
    """Return a warning about a variable, with the setting or the few settings that it may mean."""
    tails = [one.removeprefix(prefix) for one in known]
    meant = [f"{prefix}{one}" for one in suggestions(name.removeprefix(prefix), tails)]
    hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
    return f"{name} is not a setting and has no effect{hint}"


def suggestions(name: str, known: Collection[str]) -> list[str]:
    """Return the names that one may have meant; none if there are too many of them.

    The first that finds any decides: it was cut short, it was mistyped, it has some of the words
    of a name, or words too many.
    """
    if not name.strip("_"):
        return []
    words = set(name.split("_"))
    found = (
        _preferred(one for one in known if one.startswith(name))
        or get_close_matches(name, sorted(known), n=1, cutoff=_ALIKE)
        or _preferred(one for one in known if words <= set(one.split("_")))
        or _preferred(one for one in known if words >= set(one.split("_")))
    )
    return found if len(found) <= _MOST else []


def _preferred(found: Iterable[str]) -> list[str]:
    """Return them in order; a secret's file only where nothing else is found."""
    names = sorted(found)
    return [one for one in names if not one.endswith(_IN_FILE)] or names
