"""Who is compared: a program that takes events from a queue and notifies platforms."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aio_pika.abc import DeliveryMode

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program, ready to be started.

    Attributes:
        argv: it prints ``ready`` when it consumes.
        env: its environment.
        exchange: where its events are published; the default exchange if empty.
        routing_key: and how.
        message: makes a message from an event.
        queue: which must be empty when it is done; None if it takes no events.
        secrets: of the platforms, Base64; none if it does not sign.
        ready_url: asked instead of waiting for ``ready``.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    routing_key: str
    message: Callable[[Event], aio_pika.Message]
    queue: str | None
    secrets: Sequence[str]
    exchange: str = ""
    ready_url: str | None = None
    cwd: str | None = field(default=None)


def plain(event: Event) -> aio_pika.Message:
    """An event as upstream publishes it."""
    return aio_pika.Message(
        json.dumps(event).encode(),
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
    )


def celery_task(event: Event) -> aio_pika.Message:
    """The same as a Celery task (message protocol 2)."""
    embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return aio_pika.Message(
        json.dumps([[event], {}, embedded]).encode(),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"lang": "py", "task": "fan_out", "id": event["id"], "root_id": event["id"]},
        correlation_id=event["id"],
        delivery_mode=DeliveryMode.PERSISTENT,
    )


def taskiq_task(event: Event) -> aio_pika.Message:
    """The same as a task of taskiq."""
    task = {"task_id": event["id"], "task_name": "fan_out", "labels": {}, "args": [event]}
    return aio_pika.Message(
        json.dumps({**task, "kwargs": {}}).encode(),
        headers={"task_id": event["id"], "task_name": "fan_out"},
        delivery_mode=DeliveryMode.PERSISTENT,
    )
