"""What `traverse serve` is asked for; whatever is not plain is left to the library that has words for it."""

from __future__ import annotations

import pytest

from serve_command import ServeOptions, read_options


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["serve"], ServeOptions()),
        (["serve", "--port", "8080"], ServeOptions(port=8080)),
        (["serve", "--port=8080", "--host=::1"], ServeOptions(port=8080, host="::1")),
        (["serve", "--workers", "4", "--host", "0.0.0.0"], ServeOptions(workers=4, host="0.0.0.0")),  # noqa: S104 (a word here)
        (["serve", "--port", "1", "--port", "65535"], ServeOptions(port=65_535)),
    ],
)
def test_options_are_read(arguments: list[str], expected: ServeOptions):
    assert read_options(arguments) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["worker"],
        ["--help"],
        ["serve", "--help"],
        ["serve", "--reload"],
        ["serve", "8080"],
        ["serve", "--"],
        ["serve", "--port"],
        ["serve", "--port", "0"],
        ["serve", "--port", "65536"],
        ["serve", "--port", "9" * 5_000],
        ["serve", "--port", "-1"],
        ["serve", "--port", "٣"],
        ["serve", "--port", " 80"],
        ["serve", "--workers", "0"],
        ["serve", "--workers", "257"],
        ["serve", "--workers="],
        ["serve", "--host"],
        ["serve", "--host="],
        ["serve", "--host", "--port"],
    ],
)
def test_anything_else_is_left_to_the_other_command_line(arguments: list[str]):
    assert read_options(arguments) is None
