"""The failures that the flow survives. Adapters map foreign exceptions to all but the last two."""


class StoreUnreachable(Exception):
    """The database does not answer. Nothing was decided; the work is tried again.

    Attributes:
        maybe_done: the COMMIT was sent and its answer did not come. Else surely nothing was done.
    """

    maybe_done = False


class StoreFull(StoreUnreachable):
    """The database's disk takes nothing more: an outage that whoever has the disk can end.

    Its words name the disk and say what to do.
    """


class StoreRefuses(StoreUnreachable):
    """The database answers, and refuses whoever asks: an outage like any other.

    A privilege that was taken away, a table that is missing, a trigger, a role that may only read:
    no event and no platform is at fault.

    Attributes:
        sqlstate: PostgreSQL's code, empty for SQLite.
    """

    def __init__(self, words: str, sqlstate: str = "") -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


class DataRefused(Exception):
    """The database refuses these rows, as far as it says because of what they hold.

    It may be wrong: a constraint can refuse everything. Whether it takes others tells.

    Attributes:
        sqlstate: PostgreSQL's code, empty for SQLite.
    """

    def __init__(self, words: str, sqlstate: str = "") -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


class SecretKeyMissing(StoreUnreachable):
    """What is stored is sealed with a key that this process does not hold; says which.

    To the flow it is an outage: nothing is decided, and the work is done by whoever holds the key.
    """


class BrokerUnreachable(Exception):
    """The broker does not answer, or did not confirm. A publish may or may not have arrived."""


class BrokerRefuses(BrokerUnreachable):
    """The broker answers, and refuses whoever asks: an outage to whoever works already.

    A wrong password, a vhost that is another's, a permission that is missing: somebody has to mend
    it, so whoever starts says so at once.
    """


class OutOfMeans(Exception):
    """No descriptor, memory or thread was left. Nothing was decided; the work is tried again."""


class EverythingCrashes(Exception):
    """Our own code fails on one event after the other: none of them is at fault."""
