"""Which policies of a broker lose events or letters."""

from disconnect_fanout.policy.broker_policy import BrokerPolicy, harms

OURS: dict[str, str | int] = {
    "x-overflow": "reject-publish",
    "x-delivery-limit": 20,
    "x-dead-letter-exchange": "",
}


def policy(definition: dict[str, object], **changes: object) -> BrokerPolicy:
    about: dict[str, object] = {
        "name": "p",
        "kind": "policy",
        "pattern": "^fanout",
        "apply_to": "queues",
        "priority": 0,
    }
    return BrokerPolicy(definition=definition, **{**about, **changes})  # type: ignore[arg-type]


def keys(*policies: BrokerPolicy) -> list[tuple[bool, str]]:
    found = harms(policies, "fanout.events", OURS)
    return [(one.loses, one.words.split(" sets ")[1].split("=")[0]) for one in found]


def test_what_removes_loses() -> None:
    """Time to live, lengths, expiry of the queue, and fewer returns than ours."""
    definition: dict[str, object] = {
        "message-ttl": 1,
        "max-length": 1,
        "max-length-bytes": 1,
        "expires": 1,
        "delivery-limit": 19,
    }
    assert sorted(keys(policy(definition))) == sorted((True, key) for key in definition)


def test_what_our_argument_goes_before_loses_nothing() -> None:
    """It is said all the same: whoever wrote it believes that it does something."""
    assert keys(policy({"overflow": "drop-head"})) == [(False, "overflow")]
    assert keys(policy({"dead-letter-exchange": "x"})) == [(False, "dead-letter-exchange")]


def test_what_is_as_ours_or_of_another_matter_is_not_named() -> None:
    """Mirroring, a leader's place, the same overflow, a higher limit of returns."""
    same = {"ha-mode": "all", "queue-leader-locator": "balanced", "overflow": "reject-publish"}
    assert keys(policy({**same, "delivery-limit": 20})) == []


def test_a_policy_that_does_not_hold_is_not_named() -> None:
    """Another pattern, exchanges or classic queues alone, one of a lower priority."""
    definition: dict[str, object] = {"message-ttl": 1}
    assert keys(policy(definition, pattern="^other")) == []
    for apply_to in ("exchanges", "classic_queues", "streams"):
        assert keys(policy(definition, apply_to=apply_to)) == []
    assert keys(policy(definition), policy({"max-length": 1}, priority=1)) == [(True, "max-length")]


def test_an_operator_policy_holds_beside_a_policy() -> None:
    """One of each kind, each by its own priority."""
    above = policy({"max-length": 1}, kind="operator policy")
    found = harms([policy({"message-ttl": 1}, priority=9), above], "fanout.events", OURS)
    assert [one.words.split(" 'p'")[0] for one in found] == ["operator policy", "policy"]


def test_a_pattern_that_we_cannot_read_is_taken_to_match() -> None:
    """Erlang's expressions can do more than Python's: rather one line too many."""
    assert keys(policy({"message-ttl": 1}, pattern=r"\Afanout(?|a|b)")) == [(True, "message-ttl")]
