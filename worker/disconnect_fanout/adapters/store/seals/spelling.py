"""Under which hashes of an address a row is kept, and by which rule (decision 0015).

``user_hash`` is of the address as older versions fold it, so that they find what this one writes.
``mailbox_hash`` is of the mailbox, and there only where that is another text: with nearly every
address both are one, and nothing more is kept or looked for. ``spelling`` says who wrote the row:
none is an older version, whose row nobody has looked at yet.
"""

from collections.abc import Mapping
from enum import IntEnum

from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.mailbox import mailbox


class Spelling(IntEnum):
    """What is known of the spelling of a row's address."""

    FOLDED = 1
    """An older version folded its case before it was sealed; letters may be lost."""
    EXACT = 2


def hash_columns(
    seals: Seals, written: str, spelling: Spelling = Spelling.EXACT
) -> dict[str, str | int | None]:
    """Return the three columns for an address as it was written."""
    folded, box = written.casefold(), mailbox(written)
    return {
        "user_hash": seals.text_hash(folded),
        "mailbox_hash": None if box == folded else seals.text_hash(box),
        "spelling": int(spelling),
    }


def event_hash_columns(seals: Seals, written: str) -> Mapping[str, object]:
    """Return the same for ``events``, which keep the first one as bytes."""
    columns = hash_columns(seals, written)
    return {**columns, "user_hash": bytes.fromhex(str(columns["user_hash"]))}
