"""A link: this platform had this user's calendar connected, from then until then."""

from dataclasses import dataclass, field
from datetime import datetime

from disconnect_fanout.domain.event import Provider, User
from disconnect_fanout.domain.old_spelling import folds


@dataclass(frozen=True, slots=True)
class Link:
    """One interval of one user's connection to one platform.

    Attributes:
        email: the mailbox (CONTRACT section 4).
        provider: None matches events of every provider.
        unlinked_at: None while the link holds.
        folded: an older version wrote it and kept no more than its case-folded address, so it may
            be a link of any mailbox that folds to this one (decision 0015).
    """

    email: str = field(repr=False)
    platform_id: str
    linked_at: datetime
    unlinked_at: datetime | None = None
    google_id: str | None = field(default=None, repr=False)
    provider: Provider | None = None
    folded: bool = field(default=False, compare=False, repr=False)

    def may_be_of(self, user: User) -> bool:
        """Tell whether the address is the user's, as far as is known."""
        return self.email == user.mailbox or (self.folded and self.email in folds(user.mailbox))

    def is_of(self, user: User) -> bool:
        """Tell whether the address or the Google id is certainly the user's."""
        if self.google_id is not None and user.google_id is not None:
            return self.google_id == user.google_id
        return self.email == user.mailbox
