"""Logs: one JSON object a line on stderr, for what happens, not for each call."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_POOL = "asyncpg.pool"
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)
# One list for good: a logger that was used keeps the list of that day, and would not
# follow whoever configures again, nor a test that listens.
_PROCESSORS: list[Processor] = [
    *_SHARED,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def configure_logging(level: str) -> None:
    """Sends everything that is logged to stderr as JSON.

    Args:
        level: `debug`, `info`, `warning` or `error`, for the sidecar's own lines;
            libraries are heard from `warning` on.
    """
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_shorten, *_SHARED],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("sidecar").setLevel(level.upper())


def _shorten(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Names an error of the pool in a word, without the traceback.

    The pool says after each attempt that a connection could not be restored, all the
    time that a database is away, and where in the driver that was is no news.
    """
    failed = event.get("exc_info")
    if event["_record"].name == _POOL and isinstance(failed, tuple):
        del event["exc_info"]
        event["error"] = failed[0].__name__
    return event
