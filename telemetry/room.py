"""Room for the figures that processes share, taken from the disk before anything is written there.

prometheus-client maps files that are larger than what the disk has set aside for them. When the disk is full by the
time a page is needed, the kernel ends the process (SIGBUS) for counting a request. Here the room is reserved first;
where there is none, the process counts on in its own memory, and only its figures are missing from the sum.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

log = structlog.get_logger(__name__)

_FIRST_BYTES = 65_536
_LARGEST_ENTRY_BESIDES_KEY = 32  # its length, its padding, two doubles

if TYPE_CHECKING:

    class _Base:
        """prometheus-client's dictionary, of which nothing is typed."""

        _f: Any
        _m: Any
        _fname: str
        _capacity: int
        _used: int
        _positions: dict[str, int]

        def __init__(self, filename: str, read_mode: bool = False) -> None: ...
        def _init_value(self, key: str) -> None: ...
        def write_value(self, key: str, value: float, timestamp: float) -> None: ...
        def read_value(self, key: str) -> tuple[float, float]: ...
        def close(self) -> None: ...
else:
    _Base = MmapedDict


class RoomyDict(_Base):
    """The same dictionary on reserved room: in its file, or in memory once the disk has none."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if read_mode or _reserve(filename, _FIRST_BYTES):
            super().__init__(filename, read_mode)
            return
        self._fname = filename
        self._f = None
        self._capacity = _FIRST_BYTES
        self._m = mmap.mmap(-1, _FIRST_BYTES)
        self._positions = {}
        self._used = 8
        self._m[0:4] = self._used.to_bytes(4, "little")

    def close(self) -> None:
        if self._f is None and self._m is not None:
            self._m.close()
            self._m = None
        super().close()

    def _init_value(self, key: str) -> None:
        needed = self._used + len(key.encode()) + _LARGEST_ENTRY_BESIDES_KEY
        if needed > self._capacity:
            self._grow(max(needed, 2 * self._capacity))
        super()._init_value(key)

    def _grow(self, size: int) -> None:
        if self._f is not None and _reserve(self._fname, size):
            self._m = mmap.mmap(self._f.fileno(), size)
        else:
            # What the file holds stays there for others to read, and is not counted any further.
            wider = mmap.mmap(-1, size)
            wider[: self._used] = self._m[: self._used]
            self._m = wider
            if self._f is not None:
                self._f.close()
                self._f = None
        self._capacity = size


def share_safely() -> None:
    """Let every figure that is made from now on use such room. Before any is made."""
    values.MmapedDict = RoomyDict  # pyright: ignore[reportPrivateImportUsage] - where the library looks it up


def _reserve(filename: str, size: int) -> bool:
    """Return whether the disk has set aside `size` bytes for this file."""
    try:
        with open(filename, "ab") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        # An empty file is no dictionary: whoever reads them all would stumble over it.
        with suppress(OSError):
            if os.stat(filename).st_size == 0:
                os.unlink(filename)
        log.warning("figures_not_shared", error_class=type(error).__name__)
        return False
    return True
