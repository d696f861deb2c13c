"""Message properties that can't be read must not cost the connection.

The client's decoder (pamqp) raises on a timestamp beyond its calendar or a header name that is not
UTF-8. It does so in the reader of the connection, which ends with it: every message that was held
goes back to the broker and comes again with the odd one, up to the delivery limit, for all of them
(measured: one such message moved two hundred good ones). Whoever may publish could do that.

So the header of a message is read in two steps: its size, which framing needs, and its properties,
which become empty when they can't be read. The body tells all that an event needs.
"""

from pamqp.header import ContentHeader

_read = ContentHeader.unmarshal


def _read_what_can_be_read(header: ContentHeader, data: bytes) -> None:
    try:
        _read(header, data)
    except (ValueError, OverflowError, OSError, LookupError, TypeError):
        header.properties = type(header.properties)()


def install() -> None:
    """Make the client tolerant, in this process; a second time changes nothing."""
    ContentHeader.unmarshal = _read_what_can_be_read  # type: ignore[method-assign, assignment]
