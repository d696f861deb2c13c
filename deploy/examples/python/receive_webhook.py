"""Receive webhooks and verify them, with Python's standard library alone.

``WEBHOOK_SECRET=whsec_… PORT=8088 python receive_webhook.py``
"""

import base64
import hashlib
import hmac
import json
import os
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_S = 300
KNOWN: set[str] = set()
"""In a service: a table, written in the transaction of your own work, kept for 30 days."""


def is_ours(body: bytes, headers: Message, secret: str, now: float) -> bool:
    """Tell whether this body, byte for byte as it came, was signed with the secret just now."""
    name = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE_S:
        return False  # too old: somebody may have recorded it
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{name}.{timestamp}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    given = headers.get("webhook-signature", "").split()  # two while a secret is rotated
    return any(hmac.compare_digest(f"v1,{right.decode()}".encode(), one.encode()) for one in given)


class Receiver(BaseHTTPRequestHandler):
    """Answers POSTs."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Verify first, then parse; answer 2xx also to what is known."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not is_ours(body, self.headers, os.environ["WEBHOOK_SECRET"], time.time()):
            self.answer(400)
            return
        name = self.headers["webhook-id"]
        if name not in KNOWN:
            KNOWN.add(name)
            data = json.loads(body)["data"]
            # Here your own work starts, unless the user connected again after the disconnect.
            print("told", name, "ended", data["disconnected_at"], flush=True)
        self.answer(204)

    def answer(self, status: int) -> None:
        """Answer without a body."""
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8088"))), Receiver)
    print("listening", server.server_port, flush=True)
    server.serve_forever()
