"""Signing, the sender's side of Standard Webhooks 1.0.0, and Cal.com's header.

The signed content is ``{webhook-id}.{unix seconds of this attempt}.{raw body}``. During a rotation
every active secret signs; ``cal`` has room for one signature only, so there the oldest does.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import assert_never

from disconnect_fanout.domain.platform import Scheme, SigningKey


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A symmetric secret. Its repr is silent."""

    secret: bytes

    def __repr__(self) -> str:
        """Say nothing."""
        return "HmacKey(…)"

    def sign(self, content: bytes) -> bytes:
        """Return HMAC-SHA256."""
        return hmac.digest(self.secret, content, sha256)


def signature_headers(
    scheme: Scheme, keys: Sequence[SigningKey], message_id: str, unix_s: int, body: bytes
) -> dict[str, str]:
    """Return the headers that prove this request.

    Args:
        scheme: the platform's.
        keys: active secrets, oldest first, at least one.
        message_id: the ``webhook-id``, the same for every attempt.
        unix_s: the second of this attempt.
        body: exactly the bytes that will be sent.
    """
    content = f"{message_id}.{unix_s}.".encode() + body
    version = "v1a" if scheme is Scheme.STANDARD_ED25519 else "v1"
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(unix_s),
        "webhook-signature": " ".join(
            f"{version},{b64encode(key.sign(content)).decode()}" for key in keys
        ),
    }
    match scheme:
        case Scheme.STANDARD | Scheme.STANDARD_ED25519:
            return headers
        case Scheme.CAL:
            return {**headers, "X-Cal-Signature-256": keys[0].sign_body(body).hex()}
        case _:
            assert_never(scheme)
