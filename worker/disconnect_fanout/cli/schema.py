"""``fanout schema``: the contracts, for machines."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from disconnect_events import asyncapi, export, openapi
from disconnect_fanout.app.setting_schema import settings_schema
from disconnect_fanout.cli.output import show_text


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


def schema(contract: Annotated[Contract, typer.Argument(help="Which one.")]) -> None:
    r"""Print a contract as JSON: OpenAPI, AsyncAPI, or a JSON Schema.

    \b
    Examples:
      fanout schema event
      fanout schema asyncapi
    """
    show_text(json.dumps(_DOCUMENTS[contract](), indent=2))  # escaped: the invisible stays readable
