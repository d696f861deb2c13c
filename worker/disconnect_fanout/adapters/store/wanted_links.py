"""Whose links are looked for."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from disconnect_fanout.adapters.store.spelling import written


class WantedLinks:
    """Mailboxes and google ids, by their hashes."""

    def __init__(self, users: Mapping[str, str], accounts: Mapping[str, str]) -> None:
        self.known = {**users, **accounts}
        self.users = users
        self.accounts = accounts
        self._emails = set(users.values())
        self._google_ids = set(accounts.values())

    def has(self, row: Row[Any]) -> bool:
        """Tell whether a row is one of theirs: by what is clear or, where nothing is, by hash.

        What is clear is newer: a row whose address the owner has changed is no longer found by the
        one that was sealed.
        """
        email, google_id = written(row)
        by_email = row.user_hash in self.users if email is None else email in self._emails
        if by_email:
            return True
        if google_id is None:
            return row.google_hash in self.accounts
        return google_id in self._google_ids
