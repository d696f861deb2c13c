"""The one failure of a declaration that a person has to mend."""


class TopologyConflict(Exception):
    """A queue or exchange exists with other arguments; says which, and the way out."""
