"""Structured logs on stderr: JSON for machines, colours for a person at a terminal."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import orjson
import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger


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
        _name_errors,
    ]
    render: Processor = (
        structlog.processors.JSONRenderer(_json)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log little and late; what they have to say comes through the same door.
    door = logging.StreamHandler(sys.stderr)
    door.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _first_line],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[door], force=True)
    for chatty in ("aiormq", "aio_pika"):  # they log each lost connection with a traceback
        logging.getLogger(chatty).setLevel(logging.CRITICAL)


def _json(line: "EventDict", default: Callable[[Any], Any]) -> str:
    return orjson.dumps(line, default=default).decode()


def _name_errors(_logger: "WrappedLogger", _method: str, line: "EventDict") -> "EventDict":
    """Tell where an error came from and of which kind, never its words: they may name a user."""
    error = line.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error is True:
        error = sys.exception()
    if isinstance(error, BaseException):
        line["exception"] = _frames(error)
    return line


def _first_line(_logger: "WrappedLogger", _method: str, line: "EventDict") -> "EventDict":
    """Keep what happened; asyncio's further lines show the objects involved, errors included."""
    line["event"] = (str(line["event"]).splitlines() or [""])[0][:300]
    return line


def _frames(error: BaseException) -> str:
    """Return the traceback with the kinds of the errors, the first cause on top."""
    chain: list[str] = []
    met: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in met:
        met.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        chain.append(f"{frames}{type(current).__module__}.{type(current).__qualname__}")
        current = current.__cause__ or current.__context__
    return "\n".join(reversed(chain))
