"""Celery, prefork, with requests: one task for an event, acked late. Run by ``celery worker``."""

import os
from typing import Any

import requests
from celery import Celery
from celery.signals import worker_ready
from tests.bench.peers.hooks import hooks, say_ready, webhook

app = Celery("bench", broker=os.environ["BENCH_AMQP_URL"])
app.conf.update(
    task_default_queue=os.environ["BENCH_QUEUE"],
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=50,
)
told = hooks()
session = requests.Session()


@app.task(name="fan_out")
def fan_out(event: dict[str, Any]) -> None:
    """Notify all, one after the other."""
    for hook in told:
        body, headers = webhook(hook, event)
        session.post(hook.url, data=body, headers=headers).raise_for_status()


@worker_ready.connect
def started(**_kwargs: object) -> None:
    """It consumes."""
    say_ready()
