"""The two failures that the flow survives. Adapters map foreign exceptions to them."""


class StoreUnreachable(Exception):
    """The database does not answer. Nothing was decided; the work is tried again.

    Attributes:
        maybe_done: the COMMIT was sent and its answer did not come. Else surely nothing was done.
    """

    maybe_done = False


class BrokerUnreachable(Exception):
    """The broker does not answer, or did not confirm. A publish may or may not have arrived."""
