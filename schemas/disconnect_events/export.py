"""Writes the contracts beside this package: ``python -m disconnect_events.export``.

JSON Schemas into ``jsonschema/``, OpenAPI and AsyncAPI into ``apis/``.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from disconnect_events import asyncapi, example, openapi
from disconnect_events.connect import ConnectEventV1
from disconnect_events.dead_letter import DeadLetterV1
from disconnect_events.event import DisconnectEventV1
from disconnect_events.webhook import WebhookV1

FOLDER = Path(__file__).parent / "jsonschema"
CONTRACTS: Mapping[str, tuple[type[BaseModel], dict[str, object]]] = {
    "event": (DisconnectEventV1, example.EVENT),
    "connect_event": (ConnectEventV1, example.CONNECT),
    "webhook": (WebhookV1, example.WEBHOOK),
    "dead_letter": (DeadLetterV1, example.DEAD_LETTER),
}

APIS: Mapping[Path, Callable[[], dict[str, Any]]] = {
    Path(__file__).parent / "apis" / "openapi.json": openapi.document,
    Path(__file__).parent / "apis" / "asyncapi.json": asyncapi.document,
}


def path_of(name: str) -> Path:
    """Return where the schema of one of ``CONTRACTS`` is kept."""
    return FOLDER / f"{name}.v1.json"


def document(name: str) -> str:
    """Return the schema of one of ``CONTRACTS`` as text."""
    model, shown = CONTRACTS[name]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:disconnect-fanout:schema:{name}:v1",
        **model.model_json_schema(),
        "examples": [shown],
    }
    return json.dumps(schema, indent=2) + "\n"  # escaped: invisible characters stay readable


def text_of(api: Callable[[], dict[str, Any]]) -> str:
    """Return one of ``APIS`` as text."""
    return json.dumps(api(), indent=2) + "\n"


def main() -> None:
    """Write all of them and say where."""
    files = {path_of(name): document(name) for name in CONTRACTS}
    files |= {path: text_of(api) for path, api in APIS.items()}
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
