"""``fanout dlq export``: all that match, a line each, in as little memory as one page takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer

from disconnect_fanout.adapters.store.deliveries.known_names import require_known
from disconnect_fanout.adapters.store.deliveries.pages import delivery_pages
from disconnect_fanout.adapters.store.deliveries.record import DeadRecord, dead_columns
from disconnect_fanout.adapters.store.rows.legible import DEAD, legible
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.cli.arguments.filters import (
    MostOption,
    Wanted,
    filtered,
)
from disconnect_fanout.cli.runtime.session import execute, reading
from disconnect_fanout.cli.screen.output import Output, say
from disconnect_fanout.cli.screen.standard_output import standard_output
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.policy.wording.error_words import system_words

_FORM = Output.JSONL.value
_LINE = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def parse_form(text: str) -> str:
    """Return the one form of ``-o``: an array would have to be held in memory by who reads it."""
    if text != _FORM:
        raise typer.BadParameter(f"{text!r}: an export is one object a line; expected {_FORM}")
    return text


@filtered
def export(
    *,
    wanted: Wanted,
    limit: MostOption = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Instead of standard output.")
    ] = None,
    _output: Annotated[
        str,
        typer.Option(
            "-o", "--output", parser=parse_form, metavar=f"<{_FORM}>", help="One object a line."
        ),
    ] = _FORM,
) -> None:
    r"""Write every open dead letter that matches as JSON lines, in the order of their ids.

    A file is there when it is complete, or not at all.

    \b
    Examples:
      fanout dlq export --to dead.jsonl
      fanout dlq export --platform plat_luma | jq -r .event_id
    """
    with _destination(to) as file:
        count = execute(_export(wanted, limit, file))
    say(f"{count} dead letters exported")


async def _export(wanted: Wanted, limit: int | None, file: BinaryIO) -> int:
    count = 0
    async with reading() as session:
        chosen = await wanted.chosen(session, DeliveryState.DEAD)
        await require_known(session.database, chosen)
        async for page in delivery_pages(session.database, chosen, limit):
            shown = legible(session.database, deliveries, page, DEAD)
            lines = [orjson.dumps(DeadRecord(**dead_columns(row)), option=_LINE) for row in shown]
            file.write(b"".join(lines))
            count += len(shown)
    return count


@contextmanager
def _destination(to: Path | None) -> Iterator[BinaryIO]:
    if to is None:
        with standard_output() as out:
            yield out.buffer
        return
    part = to.with_name(f"{to.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(to)
    except OSError as error:
        raise UsageError(f"--to {to}: {system_words(error)}") from None
    finally:
        part.unlink(missing_ok=True)
