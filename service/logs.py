"""Logs as JSON lines on standard error: escaped, one event a line, nothing a user typed."""

from __future__ import annotations

import sys
from typing import Any

import structlog


def configure(*, stream: Any = None) -> None:
    """Set up structlog for the process; called once, by `commands`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_place,
            # ASCII output escapes carriage returns, line feeds, ANSI and every look-alike
            structlog.processors.JSONRenderer(ensure_ascii=True, sort_keys=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def _exception_place(_logger: Any, _method: str, event: Any) -> Any:
    """Replace an exception by its class and the places it passed: its message may quote what a user typed."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["places"] = _places(error)
    return event


def _places(error: BaseException) -> list[str]:
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return places[-12:]
