"""The AsyncAPI document against the official schema of AsyncAPI 3.0."""

import json
from copy import deepcopy
from pathlib import Path

from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from tests.harness.worker.example import with_packages

from disconnect_events import asyncapi

PACKAGE = Path(__file__).parent / "asyncapi"
SCHEMA = "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"


async def test_the_document_is_valid(tmp_path: Path) -> None:
    """As its authors' schema says; and that schema sees it when something is wrong."""
    installed = await with_packages(PACKAGE, tmp_path)
    official = Draft7Validator(json.loads((installed / SCHEMA).read_text("utf-8")))
    found = asyncapi.document()
    assert [one.message for one in official.iter_errors(found)] == []
    for wrong in ("channels", "operations", "info"):
        broken = deepcopy(found)
        broken[wrong] = {"nonsense": 1}
        assert list(official.iter_errors(broken))
