"""``fanout schema``: the contracts, for machines."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from disconnect_events import asyncapi, export, openapi
from disconnect_fanout.app.setting_schema import settings_schema
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_text


class Contract(StrEnum):
    """What is described."""

    OPENAPI = "openapi"
    ASYNCAPI = "asyncapi"
    EVENT = "event"
    WEBHOOK = "webhook"
    CONFIG = "config"


def _exported(name: str) -> Callable[[], Any]:
    return lambda: json.loads(export.document(name))


_DOCUMENTS: Mapping[Contract, Callable[[], Any]] = {
    Contract.OPENAPI: openapi.document,
    Contract.ASYNCAPI: asyncapi.document,
    Contract.EVENT: _exported("event"),
    Contract.WEBHOOK: _exported("webhook"),
    Contract.CONFIG: settings_schema,
}


def schema(
    contract: Annotated[Contract, typer.Argument(help="Which one.")],
    output: OutputOption = Output.JSON,
) -> None:
    r"""Print a contract as JSON: OpenAPI, AsyncAPI, or a JSON Schema.

    A document has no rows: as a table, too, it is indented JSON; with -o jsonl it is one line.

    \b
    Examples:
      fanout schema event
      fanout schema asyncapi
    """
    indent = None if output is Output.JSONL else 2
    # What is not ASCII is escaped: the invisible stays readable.
    show_text(json.dumps(_DOCUMENTS[contract](), indent=indent))
