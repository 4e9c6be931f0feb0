"""A frame that the server writes by itself is the one that a WebSocket library would write."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from schema.streams.protocol import json_id, next_frame, next_message


@pytest.mark.parametrize("size", [0, 60, 61, 90, 91, 92, 93, 100, 65_490, 65_500, 65_510, 70_000])
@pytest.mark.parametrize("operation_id", ["1", 'é"\\'])
def test_frames_of_every_size_are_those_of_a_library(size: int, operation_id: str) -> None:
    answer = f'{{"data":"{"é" * (size // 2)}"}}'
    by_library = Frame(Opcode.TEXT, next_message(json_id(operation_id), answer).encode()).serialize(mask=False)

    frame = next_frame(json_id(operation_id), answer)

    assert frame == by_library
