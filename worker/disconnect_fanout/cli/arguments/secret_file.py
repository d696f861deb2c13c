"""Secrets reach a command by a file or by standard input, never as an argument: ``ps`` shows."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from disconnect_fanout.app.small_file import Unreadable, read_small
from disconnect_fanout.cli.usage_error import UsageError

SecretFileOption = Annotated[
    str | None,
    typer.Option(
        "--secret-file",
        metavar="FILE|-",
        help="Read the signing secret from a file, or from standard input. "
        "Without it one is generated.",
    ),
]


def read_secret(source: str) -> str:
    """Return the secret in a file, or on standard input for ``-``.

    Raises:
        UsageError: unreadable, too long, empty, or more than one line.
    """
    try:
        text = read_small(sys.stdin if source == "-" else Path(source))
    except Unreadable as error:
        raise UsageError(f"--secret-file {source}: {error}") from None
    secret = text.removeprefix("\ufeff").strip()  # an editor's mark is no part of it
    if not secret or len(secret.splitlines()) > 1:
        raise UsageError(f"--secret-file {source}: expected one line, the secret")
    return secret
