"""Secrets and addresses at rest: sealed with Fernet, found again by a keyed hash."""

import hashlib
import hmac
from base64 import urlsafe_b64decode
from contextlib import suppress

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_FINGERPRINT = b"disconnect-fanout secret key"


class Unsealable(Exception):
    """A value was sealed with a key that is not among the configured ones, or it is damaged."""


class Vault:
    """Seals and opens. Several keys: the first one seals, all of them open.

    Args:
        keys: Fernet keys, as ``FANOUT_SECRET_KEY`` lists them.

    Raises:
        ValueError: a key is not 32 url-safe base64-encoded bytes.
    """

    def __init__(self, keys: list[str]) -> None:
        self._each = [Fernet(key) for key in keys]
        self._fernet = MultiFernet(self._each)
        self.fingerprints = tuple(fingerprint(key) for key in keys)
        """Of the keys, in their order: the first one's is of the key that seals."""

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

    def resealed(self, sealed: bytes) -> bytes | None:
        """Return the same, sealed with the first key; None if that is how it is sealed already.

        Raises:
            Unsealable: none of the keys opens it.
        """
        if self.opened_by(sealed) == self.fingerprints[0]:
            return None
        return self.seal(self.open(sealed))

    def opened_by(self, sealed: bytes) -> str | None:
        """Return the fingerprint of the key that opens it; None if none does."""
        for fernet, name in zip(self._each, self.fingerprints, strict=True):
            with suppress(InvalidToken):
                fernet.decrypt(sealed)
                return name
        return None


def fingerprint(key: str) -> str:
    """Return what names a key and tells nothing of it.

    Raises:
        ValueError: it is not base64.
    """
    return hmac.digest(urlsafe_b64decode(key), _FINGERPRINT, hashlib.sha256)[:8].hex()


def new_key() -> str:
    """Return a fresh Fernet key."""
    return Fernet.generate_key().decode()


def lookup_hash(key: bytes, text: str) -> bytes:
    """Return a keyed hash under which an address is found without being readable."""
    return hmac.digest(key, text.encode(), hashlib.sha256)[:16]
