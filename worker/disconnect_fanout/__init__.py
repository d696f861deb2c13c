"""Tells every linked platform, provably and once, that a user's calendar connection ended.

The floors, each importing only what is below it:

    cli          one thin command per verb
    demo         the whole story on one machine
    app          settings, wiring, lifecycle: the only place where adapters meet flow
    adapters     broker, http, store, crypto          telemetry   logs and metrics
    flow         the use-cases and the small ports that they need
    policy       pure decisions: now and chance are arguments
    domain       frozen values

The way of a message from queue to ack: ``adapters.broker.consumer`` → ``flow.fan_out`` (one event)
→ ``flow.deliver`` (one delivery) → ``policy.decide`` → ``adapters.http.sender`` →
``flow.recorder`` (the group commit that the ack waits for).
"""


def __getattr__(name: str) -> str:
    """``__version__``, read when somebody asks: looking it up costs more than many commands do."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("disconnect-fanout")
    except PackageNotFoundError:  # pragma: no cover - a source tree that was never installed
        return "0.0.0"
