"""The set-up of logging is one for a whole process: what a test changes of it is put back."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager

import structlog

_NAMES = (None, "uvicorn", "uvicorn.access", "uvicorn.error")


@contextmanager
def log_setup_kept() -> Generator[None]:
    """Restore the loggers that `configure_logging` sets up, structlog and the hook of the last exception."""
    loggers = [logging.getLogger(name) for name in _NAMES]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    hook, configuration = sys.excepthook, structlog.get_config()
    try:
        yield
    finally:
        for logger, (handlers, level, propagates) in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate = propagates
        sys.excepthook = hook
        structlog.configure(**configuration)
