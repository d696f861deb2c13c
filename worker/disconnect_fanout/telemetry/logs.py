"""Structured logs on stderr: JSON for machines, colours for a person at a terminal."""

import logging
import sys
from typing import TYPE_CHECKING, Literal

import orjson
import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor


def configure_logs(level: str, form: Literal["json", "console"]) -> None:
    """Set logging up for this process.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``; below it nothing is even built.
        form: one JSON object a line, or readable lines.
    """
    threshold = logging.getLevelName(level.upper())
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    factory: structlog.PrintLoggerFactory | structlog.BytesLoggerFactory
    if form == "json":
        shared.append(structlog.processors.JSONRenderer(orjson.dumps, default=str))
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    # Libraries log little and late; what they have to say comes through the same door.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    for chatty in ("aiormq", "aio_pika"):  # they log each lost connection with a traceback
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
