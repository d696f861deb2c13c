"""From variables to settings: the environment wins over ``.env``, each may name a secret's file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from disconnect_fanout.app.secret_file import UnreadableFile, content

_FILE = "_FILE"


@dataclass(frozen=True, slots=True)
class Variables:
    """What the settings are made from.

    Attributes:
        values: text, or why there is none, by the setting's name in lower case.
        names: all ``FANOUT_*`` variables that were met, in upper case.
        problems: of variables that contradict each other.
    """

    values: Mapping[str, str | UnreadableFile] = field(repr=False)
    names: Collection[str]
    problems: list[str]


def gather(
    layers: Mapping[str, Mapping[str, str]], prefix: str, secrets: Collection[str]
) -> Variables:
    """Return what is set.

    Args:
        layers: variables by what a person calls the place where they are; the first one wins.
        prefix: of the variables that are ours.
        secrets: the settings that may be in a file.
    """
    values: dict[str, str | UnreadableFile] = {}
    names: set[str] = set()
    problems: list[str] = []
    for place, variables in layers.items():
        ours = _ours(variables, prefix)
        names |= ours.keys()
        given = {name: text for name, text in ours.items() if text}  # compose passes on empty ones
        problems += _both(given, prefix, secrets, place)
        values = {**_of_layer(given, prefix, secrets), **values}
    return Variables(values, names, problems)


def _ours(variables: Mapping[str, str], prefix: str) -> dict[str, str]:
    folded = ((name.upper(), text) for name, text in variables.items())
    return {name: text for name, text in folded if name.startswith(prefix)}


def _both(given: Mapping[str, str], prefix: str, secrets: Collection[str], place: str) -> list[str]:
    """Return a problem for each secret that is given twice: either may be the one of yesterday."""
    names = sorted(f"{prefix}{one.upper()}" for one in secrets)
    return [
        f"{name} and {name}{_FILE} are both set in {place}; expected one of them"
        for name in names
        if name in given and f"{name}{_FILE}" in given
    ]


def _of_layer(
    given: Mapping[str, str], prefix: str, secrets: Collection[str]
) -> dict[str, str | UnreadableFile]:
    files = {one: given.get(f"{prefix}{one.upper()}{_FILE}") for one in secrets}
    from_files = {one: content(path) for one, path in files.items() if path}
    return {
        **from_files,
        **{name.removeprefix(prefix).lower(): text for name, text in given.items()},
    }
