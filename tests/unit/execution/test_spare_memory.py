"""Memory that was needed for a moment goes back to the system, where the C library can do that."""

from __future__ import annotations

import ctypes
import sys

import psutil

from execution.spare_memory import give_back

_PIECES, _BYTES = 20_000, 2_000


def _has_malloc_trim() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")


def test_pages_between_what_stays_go_back():
    process = psutil.Process()
    pieces = [bytearray(_BYTES) for _ in range(_PIECES)]
    # Above all others: as long as it lives, malloc itself gives nothing back.
    last = bytearray(_BYTES)
    full = process.memory_info().rss

    del pieces
    give_back()

    assert len(last) == _BYTES
    # Other C libraries have their own ways.
    assert process.memory_info().rss < full - _PIECES * _BYTES / 2 or not _has_malloc_trim()


def test_to_give_back_nothing_is_no_error():
    give_back()
    give_back()
