"""Our OpenAPI document against what the two operations' own documentation says.

Where ours deviates, on purpose:

- A key is a security scheme, where Cal.com lists a header parameter ``Authorization``: OpenAPI says
  that a parameter of that name is ignored.
- Numbers in Cal.com's answer are ``integer`` here, and ``status`` of a 200 is only ``success``:
  each of our answers is one of theirs, not the other way round.
- ``Idempotency-Key`` is an optional header that neither knows.
- 400, 422 and 429 are answers that Syncline's page does not name; Cal.com's document names 200
  alone.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from disconnect_events.openapi import document

DOCUMENTED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "openapi" / "documented.json").read_text("utf-8")
)
OURS_ALONE = {"Idempotency-Key"}
NARROWER = {"number": "integer"}
_BEYOND = {"400", "422", "429", "503"}
BEYOND = {"deleteCalendar": _BEYOND, "disconnectCalendar": _BEYOND}
NAMED_BY_THE_TEXT = {"deleteCalendar": {"200"}, "disconnectCalendar": {"200", "401", "403", "404"}}
"""Of Cal.com's answers only 200 is in its document; the others follow from its words."""

operation = pytest.mark.parametrize("name", sorted(DOCUMENTED))


def ours(name: str) -> dict[str, Any]:
    """Return our description of an operation, found by the documented path and method."""
    told = DOCUMENTED[name]
    found: dict[str, Any] = document()["paths"][told["path"]][told["method"]]
    return found


def schema_of(content: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a JSON body or answer, and claim that JSON is all there is."""
    assert list(content["content"]) == ["application/json"]
    reference = content["content"]["application/json"]["schema"]["$ref"]
    found: dict[str, Any] = document()["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def types(schema: dict[str, Any]) -> set[str]:
    """Return which JSON types a schema allows; of constants, those that they have."""
    if "type" in schema:
        said = schema["type"]
        return {said} if isinstance(said, str) else set(said)
    values = schema["enum"] if "enum" in schema else [schema["const"]]
    return {"boolean" if isinstance(one, bool) else "string" for one in values}


def claim_fields(schema: dict[str, Any], fields: dict[str, Any]) -> None:
    """Claim that an object has exactly these fields, all required, in this order."""
    assert schema["type"] == "object"
    assert list(schema["properties"]) == list(fields) == list(schema["required"])
    for field, wanted in fields.items():
        if isinstance(wanted, dict):
            claim_fields(schema["properties"][field], wanted)
        else:
            said = {NARROWER.get(one, one) for one in wanted}
            assert types(schema["properties"][field]) == said, field


def test_there_are_no_other_operations() -> None:
    """Path and method are the documented ones, and nothing else is served as an operation."""
    told = {(one["path"], one["method"], name) for name, one in DOCUMENTED.items()}
    said = {
        (path, method, operation["operationId"])
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }
    assert said == told


@operation
def test_parameters(name: str) -> None:
    """Those that are documented, and the one that is ours and may be left out."""
    said = {one["name"]: one for one in ours(name)["parameters"]}
    told = DOCUMENTED[name]["parameters"]
    assert set(said) == set(told) | OURS_ALONE
    for parameter, wanted in told.items():
        mine = said[parameter]
        assert (mine["in"], mine["required"]) == (wanted["in"], wanted["required"])
        assert mine["schema"]["type"] == wanted["type"]
        assert mine["schema"].get("enum") == wanted.get("enum")
    assert not any(said[one]["required"] for one in OURS_ALONE)


@operation
def test_where_a_key_is_shown(name: str) -> None:
    """In the headers that are documented, each alone being enough."""
    schemes = document()["components"]["securitySchemes"]
    headers = []
    for alternative in ours(name)["security"]:
        (scheme,) = alternative
        found = schemes[scheme]
        bearer = (found["type"], found.get("scheme")) == ("http", "bearer")
        headers.append("Authorization" if bearer else found["name"])
    assert headers == DOCUMENTED[name]["key_in"]


@operation
def test_request_body(name: str) -> None:
    """None, or the documented fields; the documented example is valid."""
    told = DOCUMENTED[name]["body"]
    if told is None:
        assert "requestBody" not in ours(name)
        return
    body = ours(name)["requestBody"]
    assert body["required"] is told["required"]
    claim_fields(schema_of(body), told["fields"])
    Draft202012Validator(schema_of(body)).validate(told["example"])


@operation
def test_answer(name: str) -> None:
    """200 holds the documented fields, null ones too; the documented example is valid."""
    schema = schema_of(ours(name)["responses"]["200"])
    claim_fields(schema, DOCUMENTED[name]["answer"])
    Draft202012Validator(schema).validate(DOCUMENTED[name]["example"])


@operation
def test_errors(name: str) -> None:
    """Each documented one with its words; beyond them, those that are named above."""
    said = ours(name)["responses"]
    told = DOCUMENTED[name]["errors"]
    for status, words in told.items():
        assert said[status]["description"] == words
    assert set(said) == set(told) | NAMED_BY_THE_TEXT[name] | BEYOND[name] | {"500"}
    assert all("Retry-After" in said[status]["headers"] for status in ("429", "503"))
