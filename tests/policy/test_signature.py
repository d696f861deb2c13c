"""Signing, checked against the specification's own vectors and two public verifiers."""

import hmac
import importlib.util
import time
from base64 import b64decode
from hashlib import sha256
from importlib.metadata import distribution
from typing import Any

import pytest
import standardwebhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.platform import Scheme, SigningKey
from disconnect_fanout.policy.signature import HmacKey, signature_headers

ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the specification's own
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
ED_SECRET = (  # the specification's own
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="  # noqa: S105
)
ED_SIGNED = (
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)
OLD_SECRET = "whsec_" + "b2xkIHNlY3JldCBvZiAyNCBieXRlcyE="


def key(secret: str = SECRET) -> SigningKey:
    """A symmetric secret as the worker holds it."""
    return SigningKey(
        sign=HmacKey(b64decode(secret.removeprefix("whsec_"))).sign,
        sign_body=HmacKey(secret.encode()).sign,
    )


def ed_key() -> SigningKey:
    """The specification's ed25519 key: 32 bytes of seed, 32 of public key."""
    seed = b64decode(ED_SECRET.removeprefix("whsk_"))[:32]
    sign = Ed25519PrivateKey.from_private_bytes(seed).sign
    return SigningKey(sign=sign, sign_body=sign)


def svix_webhook(secret: str) -> Any:
    """Svix's verifier, loaded by its file: the API client around it takes 250 ms to import."""
    file = distribution("svix").locate_file("svix/webhooks.py")
    spec = importlib.util.spec_from_file_location("svix_webhooks", str(file))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Webhook(secret)


def test_the_golden_vector_of_v1() -> None:
    """HMAC-SHA256 over id.timestamp.body gives the specification's signature, byte for byte."""
    assert signature_headers(Scheme.STANDARD, [key()], ID, AT, BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": str(AT),
        "webhook-signature": SIGNED,
    }


def test_the_golden_vector_of_v1a() -> None:
    """Ed25519 over the same content gives the specification's signature, labelled v1a."""
    headers = signature_headers(Scheme.STANDARD_ED25519, [ed_key()], ID, AT, BODY)
    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": str(AT),
        "webhook-signature": ED_SIGNED,
    }


@given(st.text(max_size=60), st.sampled_from([Scheme.STANDARD, Scheme.CAL]))
def test_the_public_verifiers_accept_us(text: str, scheme: Scheme) -> None:
    """The packages standardwebhooks and svix both verify what we send, whatever the body."""
    body = text.encode()
    headers = signature_headers(scheme, [key()], "wh_del_1", int(time.time()), body)
    standardwebhooks.Webhook(SECRET).verify(body, headers, json_parse=False)
    svix_webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body"])
def test_the_public_verifiers_refuse_what_was_changed(changed: str) -> None:
    """Id, timestamp and body are all signed."""
    now, body = int(time.time()), BODY
    headers = signature_headers(Scheme.STANDARD, [key()], ID, now, body)
    if changed == "body":
        body += b" "
    else:
        headers |= {"webhook-id": "msg_x", "webhook-timestamp": str(now - 1)}
        headers[changed] = {"webhook-id": "msg_y", "webhook-timestamp": str(now - 2)}[changed]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(body, headers, json_parse=False)


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_during_a_rotation_the_old_and_the_new_secret_both_verify(secret: str) -> None:
    """Every active secret signs, the oldest first, separated by one space."""
    keys = [key(OLD_SECRET), key(SECRET)]
    headers = signature_headers(Scheme.STANDARD, keys, ID, AT, BODY)
    old, new = headers["webhook-signature"].split(" ")
    assert new == SIGNED
    assert old == signature_headers(Scheme.STANDARD, keys[:1], ID, AT, BODY)["webhook-signature"]
    fresh = signature_headers(Scheme.STANDARD, keys, ID, int(time.time()), BODY)
    standardwebhooks.Webhook(secret).verify(BODY, fresh, json_parse=False)


def test_cal_adds_the_bare_hex_digest_of_the_body() -> None:
    """X-Cal-Signature-256: lowercase hex, no prefix, no timestamp, the secret string as UTF-8."""
    headers = signature_headers(Scheme.CAL, [key()], ID, AT, BODY)
    expected = hmac.new(SECRET.encode(), BODY, sha256).hexdigest()
    assert headers.pop("X-Cal-Signature-256") == expected
    assert headers == signature_headers(Scheme.STANDARD, [key()], ID, AT, BODY)


def test_cal_is_signed_by_the_old_secret_until_the_overlap_ends() -> None:
    """There is one signature only, so of several active secrets the oldest makes it."""
    headers = signature_headers(Scheme.CAL, [key(OLD_SECRET), key(SECRET)], ID, AT, BODY)
    expected = hmac.new(OLD_SECRET.encode(), BODY, sha256).hexdigest()
    assert headers["X-Cal-Signature-256"] == expected
    assert headers["webhook-signature"].split(" ")[1] == SIGNED


@pytest.mark.parametrize("scheme", [Scheme.STANDARD, Scheme.STANDARD_ED25519])
def test_only_cal_has_the_cal_header(scheme: Scheme) -> None:
    """The standard schemes send exactly the three standard headers."""
    headers = signature_headers(scheme, [ed_key()], ID, AT, BODY)
    assert list(headers) == ["webhook-id", "webhook-timestamp", "webhook-signature"]


def test_a_key_does_not_tell_its_secret() -> None:
    """Neither repr nor str of a key holds the secret."""
    assert "hunter2" not in f"{HmacKey(b'hunter2')!r} {HmacKey(b'hunter2')}"
    assert "Hmac" not in repr(key())
