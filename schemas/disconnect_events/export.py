"""Writes the JSON Schemas beside this package: ``python -m disconnect_events.export``."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from disconnect_events import example
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


def main() -> None:
    """Write all of them and say where."""
    FOLDER.mkdir(exist_ok=True)
    for name in CONTRACTS:
        path_of(name).write_text(document(name), encoding="utf-8")
        sys.stdout.write(f"{path_of(name)}\n")


if __name__ == "__main__":
    main()
