"""A platform's webhook secret: made, checked, and turned into keys that sign.

``standard``: ``whsec_`` + base64 of 24-64 bytes. ``standard-ed25519``: ``whsk_`` + base64 of the
32-byte seed, or of seed and public key. ``cal``: any string; its UTF-8 bytes are the key.
"""

import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import assert_never

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from disconnect_fanout.domain.platform import Scheme, SigningKey
from disconnect_fanout.policy.signature import HmacKey

_SYMMETRIC = "whsec_"
_PRIVATE = "whsk_"
_PUBLIC = "whpk_"
_SEED_BYTES = 32
_FRESH_BYTES = 32
_SECRET_BYTES = range(24, 65)
_SHORTEST_CAL, _LONGEST_CAL = 16, 256


class BadSecret(ValueError):
    """A secret that can't be used; says what is expected, never the secret."""


def new_secret(scheme: Scheme) -> str:
    """Return a fresh secret of the scheme's form."""
    match scheme:
        case Scheme.STANDARD | Scheme.CAL:
            return _SYMMETRIC + b64encode(secrets.token_bytes(_FRESH_BYTES)).decode()
        case Scheme.STANDARD_ED25519:
            return _PRIVATE + b64encode(secrets.token_bytes(_SEED_BYTES)).decode()
        case _:
            assert_never(scheme)


def signing_key(scheme: Scheme, secret: str) -> SigningKey:
    """Return the key that signs with this secret.

    Raises:
        BadSecret: the secret has not the scheme's form.
    """
    match scheme:
        case Scheme.STANDARD:
            key = HmacKey(_symmetric_bytes(secret))
            return SigningKey(key.sign, key.sign)
        case Scheme.CAL:
            return _cal_key(secret)
        case Scheme.STANDARD_ED25519:
            private = _private_key(secret)
            return SigningKey(private.sign, private.sign)
        case _:
            assert_never(scheme)


def public_key(secret: str) -> str:
    """Return the ``whpk_`` form of a ``whsk_`` secret's public half."""
    raw = _private_key(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _PUBLIC + b64encode(raw).decode()


def _cal_key(secret: str) -> SigningKey:
    """The body's signature takes the string as UTF-8; ``v1`` takes it as a verifier would."""
    if not _SHORTEST_CAL <= len(secret) <= _LONGEST_CAL or not secret.isprintable():
        raise BadSecret(f"a cal secret has {_SHORTEST_CAL} to {_LONGEST_CAL} printable characters")
    body_key = HmacKey(secret.encode())
    try:
        key = HmacKey(_symmetric_bytes(secret))
    except BadSecret:
        key = body_key
    return SigningKey(key.sign, body_key.sign)


def _symmetric_bytes(secret: str) -> bytes:
    raw = _decoded(secret, _SYMMETRIC)
    if len(raw) not in _SECRET_BYTES:
        raise BadSecret("a secret is whsec_ and the base64 of 24 to 64 bytes")
    return raw


def _private_key(secret: str) -> Ed25519PrivateKey:
    raw = _decoded(secret, _PRIVATE)
    if len(raw) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise BadSecret("an ed25519 secret is whsk_ and the base64 of 32 or 64 bytes")
    return Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])


def _decoded(secret: str, prefix: str) -> bytes:
    if not secret.startswith(prefix):
        raise BadSecret(f"a secret of this scheme starts with {prefix}")
    try:
        return b64decode(secret.removeprefix(prefix), validate=True)
    except (Base64Error, ValueError):
        raise BadSecret(f"what follows {prefix} is not base64") from None
