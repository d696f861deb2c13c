"""The failures that the flow survives. Adapters map foreign exceptions to the first two."""


class StoreUnreachable(Exception):
    """The database does not answer. Nothing was decided; the work is tried again."""


class BrokerUnreachable(Exception):
    """The broker does not answer, or did not confirm. A publish may or may not have arrived."""


class OutOfMeans(Exception):
    """No descriptor, memory or thread was left. Nothing was decided; the work is tried again."""
