"""Which points stand for a circle, and what lies in it."""

from math import cos, radians

import pytest

from services.communes import Position
from services.surroundings import Circle, distance_km, small_departments_within

METZ, NANCY, PARIS = Position(49.1193, 6.1757), Position(48.6921, 6.1844), Position(48.8566, 2.3522)


@pytest.mark.parametrize(("other", "km"), [(METZ, 0), (NANCY, 47.5), (PARIS, 280.5)])
def test_a_distance_is_that_of_the_crow(other: Position, km: float):
    assert distance_km(METZ, other) == pytest.approx(km, abs=1)  # pyright: ignore[reportUnknownMemberType]


def test_a_distance_across_the_date_line_is_short():
    assert distance_km(Position(-14.3, 179.9), Position(-14.3, -179.9)) == pytest.approx(  # pyright: ignore[reportUnknownMemberType]
        0.2 * 111.19 * cos(radians(14.3)), abs=0.1
    )


def test_a_place_that_nobody_located_is_in_no_circle():
    circle = Circle(METZ, 50)

    assert circle.holds(*NANCY)
    assert not circle.holds(None, 6.1)
    assert not circle.holds(49.1, None)
    assert not Circle(METZ, 47).holds(*NANCY)


@pytest.mark.parametrize(
    ("centre", "radius_km", "codes"),
    [(METZ, 50, set[str]()), (PARIS, 1, {"75", "92", "93", "94"}), (Position(47.64, 6.86), 5, {"90"})],
)
def test_departments_too_small_for_the_points_are_known_by_name(centre: Position, radius_km: float, codes: set[str]):
    assert small_departments_within(Circle(centre, radius_km)) == codes
