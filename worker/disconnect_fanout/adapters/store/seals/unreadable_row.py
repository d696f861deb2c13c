"""What a reader of one row raises; whoever reads many sets that row aside and goes on."""


class UnreadableRow(Exception):
    """A row does not hold what it should; says which column, and no user's data."""
