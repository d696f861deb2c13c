"""What stands in for the user of a link that can't be opened.

It equals nothing that anybody asks for, so that whom the link is about is judged by its hashes, as
if it had been opened: nobody is passed over for a damaged link, and no stranger is notified.
"""

from disconnect_fanout.domain.google_id import LONGEST_GOOGLE_ID
from disconnect_fanout.domain.link import Link

NO_ADDRESS = "unreadable"  # for its missing @ it is no mailbox of anybody's
_ZEROS = "0" * 40
_DIGITS = LONGEST_GOOGLE_ID - len(_ZEROS)


def unknown_account(google_hash: str) -> str:
    """Return what stands in for an account of which only the keyed hash is known.

    Digits, as every Google id that counts; nobody has it, for nobody knows the hash. Those of two
    accounts differ, and those of one are equal.
    """
    number = int.from_bytes(google_hash.encode(), "big") % 10**_DIGITS
    return f"{_ZEROS}{number:0{_DIGITS}}"


def was_opened(link: Link) -> bool:
    """Tell whether all that is said of the link's user is true."""
    return link.email != NO_ADDRESS and not _stands_in(link.google_id)


def _stands_in(google_id: str | None) -> bool:
    if google_id is None or len(google_id) != LONGEST_GOOGLE_ID:
        return False
    return google_id.startswith(_ZEROS)
