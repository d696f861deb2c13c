"""A link: this platform had this user's calendar connected, from then until then."""

from dataclasses import dataclass, field
from datetime import datetime

from disconnect_fanout.domain.event import Provider, User
from disconnect_fanout.domain.google_id import account
from disconnect_fanout.domain.old_spelling import folds


@dataclass(frozen=True, slots=True)
class Link:
    """One interval of one user's connection to one platform.

    Attributes:
        email: its mailbox (CONTRACT section 4).
        provider: None matches events of every provider.
        unlinked_at: None while the link holds.
        folded: an older version wrote it and kept no more than its case-folded address, so it may
            be a link of any mailbox that folds to this one (decision 0015).
        latest_start: the latest start that was said of it, None if none was later than
            ``linked_at``; so that who says it again is recognised after the link has ended.
    """

    email: str = field(repr=False)
    platform_id: str
    linked_at: datetime
    unlinked_at: datetime | None = None
    google_id: str | None = field(default=None, repr=False)
    provider: Provider | None = None
    folded: bool = field(default=False, compare=False, repr=False)
    latest_start: datetime | None = field(default=None, compare=False, repr=False)

    def may_be_of(self, user: User) -> bool:
        """Tell whether the address is the user's, as far as is known."""
        return self.email == user.mailbox or (self.folded and self.email in folds(user.mailbox))

    def is_of(self, user: User) -> bool:
        """Tell whether the address or the Google id is certainly the user's."""
        theirs, ours = account(self.google_id), account(user.google_id)
        if theirs is not None and ours is not None:
            return theirs == ours
        return self.email == user.mailbox
