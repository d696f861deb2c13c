"""What every Python peer sends for an event: one signed webhook for each platform, as we do."""

import hmac
import json
import os
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

PREFETCH = 200


@dataclass(frozen=True, slots=True)
class Hook:
    """A platform; its secret is that of Standard Webhooks, without the prefix."""

    url: str
    platform_id: str
    secret: bytes


def hooks() -> list[Hook]:
    """Return the platforms of this run."""
    listed = json.loads(os.environ["BENCH_HOOKS"])
    return [Hook(url, name, b64decode(secret)) for url, name, secret in listed]


def webhook(hook: Hook, event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return a body and its headers."""
    body = json.dumps({**event, "platform_id": hook.platform_id}, separators=(",", ":")).encode()
    name, now = f"{event['id']}.{hook.platform_id}", str(int(time.time()))
    mark = hmac.digest(hook.secret, f"{name}.{now}.".encode() + body, "sha256")
    return body, {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{b64encode(mark).decode()}",
    }


def say_ready() -> None:
    """Tell the bench that messages may come, whoever has taken over ``sys.stdout``."""
    os.write(1, b"ready\n")
