"""Secrets and addresses at rest: sealed with Fernet, found again by a keyed hash."""

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unsealable(Exception):
    """A value was sealed with a key that is not among the configured ones."""


class Vault:
    """Seals and opens. Several keys: the first one seals, all of them open.

    Args:
        keys: Fernet keys, as ``FANOUT_SECRET_KEY`` lists them.

    Raises:
        ValueError: a key is not 32 url-safe base64-encoded bytes.
    """

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def __repr__(self) -> str:
        """Say nothing."""
        return "Vault(…)"

    def seal(self, plain: bytes) -> bytes:
        """Encrypt and authenticate."""
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            Unsealable: none of the keys opens it.
        """
        try:
            return self._fernet.decrypt(sealed)
        except (InvalidToken, ValueError, TypeError):  # SQLite stores a text among bytes, too
            raise Unsealable("FANOUT_SECRET_KEY does not open what is stored") from None


def new_key() -> str:
    """Return a fresh Fernet key."""
    return Fernet.generate_key().decode()


def lookup_hash(key: bytes, text: str) -> bytes:
    """Return a keyed hash under which an address is found without being readable."""
    return hmac.digest(key, text.encode(), hashlib.sha256)[:16]
