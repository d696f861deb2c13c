"""Tokens of callers are stored as digests alone: who reads the database can't use them."""

import hashlib


def token_digest(token: str) -> str:
    """Return the SHA-256 in hex of a header's value, of its own bytes if they are no text."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
