"""What platforms answered, at rest: sealed, because some repeat whom they were notified about.

Rows of an earlier version are clear until a worker has sealed them (``plaintext_answers``). The
words of an interrupted attempt are ours alone, and stay clear.
"""

from typing import Any

from sqlalchemy import Row

from disconnect_fanout.adapters.crypto.vault import Unsealable, Vault


def answer_columns(vault: Vault, answer: str) -> dict[str, Any]:
    """Return the columns of ``attempts`` that hold an answer; nothing is nothing to seal."""
    return {"answer": "", "sealed": vault.seal(_storable(answer)) if answer else None}


def answer_of(vault: Vault, row: Row[Any]) -> str | None:
    """Return the answer of a row of ``attempts``; None if none of the configured keys opens it.

    What is clear is newer than what is sealed: an old worker beside us wrote it since.
    """
    if row.answer or row.sealed is None:
        return str(row.answer)
    try:
        return vault.open(row.sealed).decode()
    except Unsealable:
        return None


def _storable(text: str) -> bytes:
    """Platforms answer what they like, half surrogates included."""
    return text.replace("\0", "\ufffd").encode(errors="replace")
