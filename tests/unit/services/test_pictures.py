"""Pictures of rows: what is drawn for which card, by the process that draws, and what becomes of one that fails."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from services.pictures import PNG_SIGNATURE, Painter, PaintingError, Picture, PictureSize
from services.pictures.drawing import draw
from services.pictures.values import axis_labels, cell_text, label_column, number_text, numeric_columns

MONTHS = (("2026-09-01", 412), ("2026-10-01", 398))


def picture(**changes: Any) -> Picture:
    values: dict[str, Any] = {
        "title": "Candidatures par mois",
        "subtitle": "Département : 57 - Moselle",
        "source": "Source : Metabase",
        "display": "bar",
        "columns": ("Mois", "Candidatures"),
        "rows": MONTHS,
        "total": 2,
    }
    return Picture(**(values | changes))


def image_of(drawn: bytes) -> Image.Image:
    assert drawn.startswith(PNG_SIGNATURE)
    return Image.open(io.BytesIO(drawn))


def ink_in(image: Image.Image, box: tuple[float, float, float, float]) -> int:
    """How many pixels of a part of the image are not of the paper."""
    left, top, right, bottom = box
    part = image.convert("RGB").crop(
        (int(left * image.width), int(top * image.height), int(right * image.width), int(bottom * image.height))
    )
    return sum(1 for pixel in part.get_flattened_data() if pixel != (255, 255, 255))


HEAD, BODY, FOOT = (0.0, 0.0, 1.0, 0.17), (0.0, 0.2, 1.0, 0.9), (0.0, 0.93, 1.0, 1.0)


@pytest.mark.parametrize(
    "changes",
    [
        *({"display": display} for display in ("bar", "row", "line", "area", "combo", "pie", "scalar", "gauge")),
        *({"display": display} for display in ("smartscalar", "progress", "table", "pivot", "map", "")),
        {"rows": (), "columns": (), "total": 0},
        {"rows": (("2026-09-01", None), (None, 3)), "total": 2},
        {"rows": (("a", "b"), ("c", "d"))},
        {"rows": ((1, 2), (3, 4))},
        {"display": "pie", "rows": (("a", 0), ("b", -3))},
        {"display": "pie", "rows": tuple((f"part {n}", n) for n in range(40)), "total": 40},
        {"display": "line", "rows": tuple((f"2026-01-{n:02d}", n * 1e9) for n in range(1, 29)), "total": 28},
        {"title": "$x_2$ " * 40, "subtitle": "\\frac{1}{2} & % #", "columns": ("_^$", "$\\alpha")},
        {
            "display": "table",
            "columns": tuple("abcdefghijkl"),
            "rows": (tuple("x" * 300 for _ in "abcdefghijkl"),) * 40,
        },
        {"display": "table", "total": None},
    ],
)
def test_every_card_becomes_a_picture_with_head_body_and_foot(changes: dict[str, Any]):
    image = image_of(draw(picture(**changes)))

    assert image.size == (1200, 675)
    assert all(ink_in(image, part) > 300 for part in (HEAD, BODY, FOOT))


def test_a_longer_bar_has_more_ink():
    small, large = (draw(picture(rows=(("a", 1000), ("b", value)))) for value in (10, 900))

    right_half = (0.55, 0.3, 0.98, 0.8)
    assert ink_in(image_of(large), right_half) > 3 * ink_in(image_of(small), right_half)


@pytest.mark.parametrize(("width", "height"), [(400, 225), (1200, 675), (2400, 1350)])
def test_a_picture_is_as_wide_as_it_was_asked_for(width: int, height: int):
    assert image_of(draw(picture(width=width))).size == (width, height)


@pytest.mark.parametrize("width", [399, 2401, 0, -1])
def test_a_width_beyond_the_bounds_is_refused(width: int):
    with pytest.raises(ValueError, match="400 to 2400 pixels"):
        PictureSize(width=width)


async def test_the_process_that_draws_gives_the_picture():
    painter = Painter()

    drawn = await painter.draw(picture())

    await painter.aclose()
    assert image_of(drawn).size == (1200, 675)


async def test_a_picture_that_cannot_be_drawn_is_an_error_that_tells_nothing_of_it():
    painter = Painter()

    with pytest.raises(PaintingError) as caught:
        await painter.draw(picture(columns=("un",), rows=(("secret", 1),), width=-5))

    await painter.aclose()
    assert "secret" not in str(caught.value)


async def test_a_picture_that_takes_too_long_is_given_up():
    painter = Painter(deadline_seconds=0.0)

    with pytest.raises(PaintingError, match="not drawn within 0 seconds"):
        await painter.draw(picture())

    await painter.aclose()


# -- how values read


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1\u202f234\u202f567"),
        (0.5, "0,5"),
        (1234.567, "1\u202f234,57"),
        (-3, "−3"),
        (True, "oui"),
        (None, ""),
        ("2026-09-01", "01/09/2026"),
        ("2026-13-45", "2026-13-45"),
        ("57 - Moselle", "57 - Moselle"),
    ],
)
def test_a_value_reads_as_it_does_in_french(value: Any, text: str):
    assert cell_text(value) == text


def test_first_days_of_months_read_as_months_and_other_days_as_days():
    assert axis_labels(["2026-09-01", "2026-10-01T00:00:00Z"]) == ["sept. 2026", "oct. 2026"]
    assert axis_labels(["2026-09-01", "2026-09-02"]) == ["01/09/2026", "02/09/2026"]


def test_columns_of_numbers_are_drawn_against_the_first_that_is_none():
    found = picture(columns=("n", "Mois", "m", "vide"), rows=((1, "a", 2.5, None), (2, "b", None, None)))

    assert (numeric_columns(found), label_column(found)) == ([0, 2], 1)
    assert number_text(2.0) == "2"
