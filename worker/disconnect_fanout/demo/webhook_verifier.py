"""The receiver's side of the signatures: what a platform does before it believes a webhook.

Written out on purpose, with nothing of the sender's code: it is the sample that receivers read.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_S = 300
_SYMMETRIC, _PUBLIC = "whsec_", "whpk_"


class WebhookVerifier:
    """Checks requests with one secret.

    Args:
        secret: ``whsec_…``, ``whpk_…``, or any other string for Cal.com's header.

    Raises:
        ValueError: what follows the prefix is no key.
    """

    def __init__(self, secret: str) -> None:
        self._text = secret.encode()
        self._public: Ed25519PublicKey | None = None
        self._key = self._text
        try:
            if secret.startswith(_PUBLIC):
                raw = b64decode(secret.removeprefix(_PUBLIC), validate=True)
                self._public = Ed25519PublicKey.from_public_bytes(raw)
            elif secret.startswith(_SYMMETRIC):
                self._key = b64decode(secret.removeprefix(_SYMMETRIC), validate=True)
        except (Base64Error, ValueError):
            raise ValueError("what follows the secret's prefix is no key") from None

    def problem(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """Return why a request must not be believed, None if it may."""
        stamp = headers.get("webhook-timestamp", "")
        if not stamp.isdecimal() or abs(now_s - int(stamp)) > TOLERANCE_S:
            return "webhook-timestamp is missing or too far from now"
        content = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
        signatures = headers.get("webhook-signature", "").split()
        if not any(self._signed(one, content) for one in signatures):
            return "no signature matches"
        if "X-Cal-Signature-256" in headers and self._public is None:
            expected = hmac.new(self._text, body, sha256).hexdigest()
            if not hmac.compare_digest(expected, headers["X-Cal-Signature-256"]):
                return "X-Cal-Signature-256 does not match"
        return None

    def _signed(self, signature: str, content: bytes) -> bool:
        version, _, encoded = signature.partition(",")
        if self._public is not None:
            return version == "v1a" and _verifies(self._public, encoded, content)
        expected = b64encode(hmac.digest(self._key, content, sha256)).decode()
        return version == "v1" and hmac.compare_digest(expected, encoded)


def _verifies(key: Ed25519PublicKey, encoded: str, content: bytes) -> bool:
    try:
        key.verify(b64decode(encoded, validate=True), content)
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True
