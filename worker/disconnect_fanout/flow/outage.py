"""The failures that the flow survives. Adapters map foreign exceptions to them."""


class StoreUnreachable(Exception):
    """The database does not answer. Nothing was decided; the work is tried again."""


class SecretKeyMissing(StoreUnreachable):
    """What is stored is sealed with a key that this process does not hold; says which.

    To the flow it is an outage: nothing is decided, and the work is done by whoever holds the key.
    """


class BrokerUnreachable(Exception):
    """The broker does not answer, or did not confirm. A publish may or may not have arrived."""
