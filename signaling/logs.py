"""Log lines as JSON or for a person, on standard error: no personal data, tokens or exception's words."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


class _Plain(logging.Handler):
    """Hands the libraries' lines to structlog, without what they say: it may hold what somebody sent."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line: which library, where, and the exception's type."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] is not None else None
        structlog.get_logger().warning(
            "library", library=record.name, where=f"{record.module}:{record.lineno}", error=kind
        )


def set_up(
    level: Literal["debug", "info", "warning", "error"], log_format: Literal["console", "json"]
) -> None:
    """Configure logging of this process."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Plain(level=logging.WARNING)]
    root.setLevel(logging.WARNING)
