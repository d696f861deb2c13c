"""What a broker's policies do to our queues: which of their keys lose events or letters.

Sources: rabbitmq.com/docs/parameters (one policy and one operator policy hold for a queue, by
priority), rabbit_quorum_queue.erl (a queue's own argument goes before a policy's ``overflow`` and
``dead-letter-…``; of limits and times the lower one holds).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_APPLY_TO_US = {"all", "queues", "quorum_queues"}
_LOSE = {
    "message-ttl": "removes what waits longer",
    "expires": "deletes the queue and all that is in it",
    "max-length": "what comes when it is full is refused or removed",
    "max-length-bytes": "what comes when it is full is refused or removed",
}
_WITHOUT_EFFECT = {
    "overflow",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
}


@dataclass(frozen=True, slots=True)
class BrokerPolicy:
    """One policy.

    Attributes:
        kind: ``policy`` or ``operator policy``.
        pattern: a regular expression that is searched for in a queue's name.
        apply_to: ``all``, ``queues``, ``quorum_queues``, ``exchanges`` and so on.
    """

    name: str
    kind: str
    pattern: str
    apply_to: str
    priority: int
    definition: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Harm:
    """What a policy's key does to a queue.

    Attributes:
        loses: events or letters get lost by it; else it only has no effect.
        words: with the policy's name, the queue and the key.
    """

    loses: bool
    words: str


def harms(
    policies: Sequence[BrokerPolicy], queue: str, arguments: Mapping[str, str | int]
) -> list[Harm]:
    """Return what the policies that hold for a queue do to it.

    Args:
        policies: of its vhost.
        queue: its name.
        arguments: those that it is declared with.
    """
    return [
        harm
        for policy in _holding(policies, queue)
        for key, value in sorted(policy.definition.items())
        for harm in _harm(policy, queue, key, value, arguments)
    ]


def _holding(policies: Sequence[BrokerPolicy], queue: str) -> Iterator[BrokerPolicy]:
    """Yield those of the highest priority: of two alike nobody can tell which one holds."""
    for kind in sorted({one.kind for one in policies}):
        matching = [one for one in policies if one.kind == kind and _matches(one, queue)]
        highest = max((one.priority for one in matching), default=0)
        yield from (one for one in matching if one.priority == highest)


def _matches(policy: BrokerPolicy, queue: str) -> bool:
    if policy.apply_to not in _APPLY_TO_US:
        return False
    try:
        return re.search(policy.pattern, queue) is not None
    except re.error:  # Erlang's expressions can do more: rather one line too many
        return True


def _harm(
    policy: BrokerPolicy,
    queue: str,
    key: str,
    value: object,
    arguments: Mapping[str, str | int],
) -> Iterator[Harm]:
    where = f"{policy.kind} {policy.name!r} sets {key}={value} on queue {queue}"
    ours = arguments.get(f"x-{key}")
    if key in _LOSE:
        yield Harm(loses=True, words=f"{where}: {_LOSE[key]}; leave our queues out of it")
    elif key == "delivery-limit" and isinstance(value, int) and value < int(ours or 0):
        yield Harm(
            loses=True,
            words=f"{where}: removes after fewer returns than our {ours}",
        )
    elif key in _WITHOUT_EFFECT and ours is not None and value != ours:
        yield Harm(loses=False, words=f"{where}; the queue's own {ours!r} goes before it")
    elif key == "dead-letter-exchange" and ours is None:
        yield Harm(loses=False, words=f"{where}; nothing of ours is meant to go there")
