"""``fanout schema``: what machines read is what holds."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from tests.harness.worker.operator import Operator

from disconnect_events.export import path_of
from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.domain.event import EVENT_TYPE


def printed(operator: Operator, contract: str) -> Any:
    return operator.fanout("schema", contract).json()


@pytest.mark.parametrize("contract", ["event", "webhook"])
def test_the_exported_files_are_printed(operator: Operator, contract: str) -> None:
    """To the letter of their JSON."""
    result = operator.fanout("schema", contract)
    assert result.exit_code == 0
    assert "".join(result.stdout.split()) == "".join(path_of(contract).read_text().split())


def test_the_configuration_is_described_without_a_value_of_ours(operator: Operator) -> None:
    """Every variable with what it expects; the one that is required; nobody's secret."""
    found = printed(operator, "config")
    Draft202012Validator.check_schema(found)
    names = {f"FANOUT_{name.upper()}" for name in Settings.model_fields}
    assert names <= set(found["properties"])
    assert all(one["description"] for one in found["properties"].values())
    assert found["properties"]["FANOUT_DRAIN_TIMEOUT"]["default"] == "35s"
    for secret in operator.settings.values():
        assert secret not in operator.fanout("schema", "config").stdout or len(secret) < 8


def test_asyncapi_names_what_is_declared(operator: Operator) -> None:
    """The exchange and the queues of the topology, and payloads that are valid schemas."""
    found, names = printed(operator, "asyncapi"), Topology()
    channels = found["channels"]
    assert found["asyncapi"].startswith("3.")
    assert channels["events"]["bindings"]["amqp"]["exchange"]["name"] == names.exchange
    assert channels["events"]["address"] == EVENT_TYPE
    queues = {one["address"] for one in channels.values() if "queue" in str(one.get("bindings"))}
    assert set(names.queues) <= queues
    for message in found["components"]["messages"].values():
        Draft202012Validator.check_schema(message["payload"])


def test_every_reference_leads_somewhere(operator: Operator) -> None:
    """In both API documents."""

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [one for value in node.values() for one in references(value)]
        return (
            [one for value in node for one in references(value)] if isinstance(node, list) else []
        )

    for contract in ("openapi", "asyncapi"):
        document = printed(operator, contract)
        for reference in references(document):
            node = document
            for step in reference.removeprefix("#/").split("/"):
                node = node[step.replace("~1", "/")]
            assert node


def test_an_unknown_contract_is_a_usage_error(operator: Operator) -> None:
    """Exit code 2, with those that there are."""
    assert "asyncapi" in operator.refused("schema", "soap", code=2)
