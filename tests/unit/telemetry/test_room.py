"""Shared figures on a disk with and without room."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client.mmap_dict import MmapedDict

from telemetry.room import RoomyDict


def leave_room(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """As on a disk that is full: it sets no more aside than this."""
    reserve = os.posix_fallocate

    def reserve_if_there_is(file: int, offset: int, length: int) -> None:
        if offset + length > size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        reserve(file, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", reserve_if_there_is)


def counted(figures: RoomyDict, number: int) -> dict[str, float]:
    """Count `number` things, of names that fill many pages."""
    for place in range(number):
        figures.write_value(f"{place:0200d}", float(place), 0.0)
    return {f"{place:0200d}": figures.read_value(f"{place:0200d}")[0] for place in range(number)}


def in_file(path: Path) -> int:
    return len(list(cast("Any", MmapedDict).read_all_values_from_file(str(path))))


def test_figures_are_in_the_file_whose_room_is_taken(tmp_path: Path):
    path = tmp_path / "counter_1.db"
    figures = RoomyDict(str(path))

    read = counted(figures, 1_000)

    assert read == {f"{place:0200d}": float(place) for place in range(1_000)}
    assert in_file(path) == 1_000
    assert path.stat().st_blocks * 512 >= path.stat().st_size
    figures.close()


@pytest.mark.parametrize("room", [0, 65_536], ids=["from the beginning", "when it grows"])
def test_without_room_counting_goes_on_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int):
    path = tmp_path / "counter_1.db"
    leave_room(monkeypatch, room)
    figures = RoomyDict(str(path))

    read = counted(figures, 1_000)

    assert read == {f"{place:0200d}": float(place) for place in range(1_000)}
    if room:
        assert 0 < in_file(path) < 1_000
        assert path.stat().st_size == room
    else:
        assert not path.exists()
    figures.close()
