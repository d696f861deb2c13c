"""What a command says when nothing is stored under the name that it was given."""


class NotFound(Exception):
    """Nothing of this kind has this name.

    Args:
        kind: in the singular: ``platform``, ``event``, ``delivery``.
        name: as the caller wrote it.
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no {kind} {name}")
        self.kind = kind
        self.name = name
