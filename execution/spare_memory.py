"""Giving memory back that was needed for a moment."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, cast


def _malloc_trim() -> Callable[[int], object]:
    """Return glibc's function of that name; where there is another C library, one that does nothing."""
    try:
        return cast("Any", ctypes.CDLL(None)).malloc_trim
    except (AttributeError, OSError):
        return _nothing


def _nothing(_: int) -> None: ...


_trim = _malloc_trim()


def give_back() -> None:
    """Give pages that hold nothing back to the system; a millisecond. malloc by itself does so at its end alone."""
    _trim(0)
