"""What stands in for the user of a link that can't be opened.

It equals nothing that anybody asks for, so that whom the link is about is judged by its hashes, as
if it had been opened: nobody is passed over for a damaged link, and no stranger is notified.
"""

from disconnect_fanout.domain.link import Link

NO_ADDRESS = "unreadable"  # for its missing @ it is no mailbox of anybody's
NO_ACCOUNT = "0" * 24  # digits, as every Google id that counts; nobody has it


def was_opened(link: Link) -> bool:
    """Tell whether all that is said of the link's user is true."""
    return link.email != NO_ADDRESS and link.google_id != NO_ACCOUNT
