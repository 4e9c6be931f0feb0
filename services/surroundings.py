"""Which departments a circle touches, for partners that search by department only."""

from __future__ import annotations

from collections.abc import Iterator
from math import asin, ceil, cos, pi, radians, sin, sqrt
from typing import NamedTuple

from clients.errors import PartnerError
from services.communes import Communes, Position

_EARTH_KM = 6_371.0
_KM_PER_DEGREE = 111.19
_CORNERS = 8
# A ring of points every so often between the centre and the border: narrower departments are known by name.
_RING_KM = 15.0
# The centre is rounded to a hundredth of a degree, so that neighbours share what was found; that moves it by less.
_ROUNDING_KM = 1.0


class Circle(NamedTuple):
    centre: Position
    radius_km: float

    def holds(self, latitude: float | None, longitude: float | None) -> bool:
        """Whether a place lies inside; one that nobody located does not."""
        if latitude is None or longitude is None:
            return False
        return distance_km(self.centre, Position(latitude, longitude)) <= self.radius_km


class _Small(NamedTuple):
    code: str
    centre: Position
    reach_km: float


# So small that they could lie between the points. The reach, from about the middle, is generous: what lies outside of
# the circle is left out later anyway.
_SMALL = (
    _Small("75", Position(48.86, 2.34), 12),
    _Small("92", Position(48.84, 2.24), 22),
    _Small("93", Position(48.92, 2.48), 20),
    _Small("94", Position(48.77, 2.47), 18),
    _Small("90", Position(47.63, 6.93), 30),
)


def distance_km(one: Position, other: Position) -> float:
    """As the crow flies."""
    latitudes = radians(one.latitude), radians(other.latitude)
    across, along = latitudes[1] - latitudes[0], radians(other.longitude - one.longitude)
    chord = sin(across / 2) ** 2 + cos(latitudes[0]) * cos(latitudes[1]) * sin(along / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(chord)))


async def communes_around(circle: Circle, communes: Communes) -> frozenset[str]:
    """Return INSEE codes of communes, one at least of each department that the circle touches; none at sea or abroad.

    API Géo knows the commune of a point only, so points are asked for. Those of the outer ring are the corners of a
    polygon around the circle: a straight border that cuts the circle has one of them on its other side.

    Raises PartnerError: with a department left out, what lies there would seem not to exist.
    """
    outcomes = await communes.by_position.many(_points(circle))
    codes: set[str] = set()
    for outcome in outcomes.values():
        if isinstance(outcome, PartnerError):
            raise outcome
        if outcome.value is not None:
            codes.add(outcome.value.insee_code)
    return frozenset(codes)


def small_departments_within(circle: Circle) -> frozenset[str]:
    """Return the codes of the departments that the points of a circle could miss, where it comes near them."""
    return frozenset(
        small.code for small in _SMALL if distance_km(circle.centre, small.centre) <= circle.radius_km + small.reach_km
    )


def _points(circle: Circle) -> Iterator[Position]:
    centre = Position(round(circle.centre.latitude, 2), round(circle.centre.longitude, 2))
    yield centre
    outermost = (circle.radius_km + _ROUNDING_KM) / cos(pi / _CORNERS)
    rings = ceil(outermost / _RING_KM)
    for ring in range(1, rings + 1):
        for corner in range(_CORNERS):
            yield _moved(centre, outermost * ring / rings, 2 * pi * corner / _CORNERS)


def _moved(start: Position, km: float, direction: float) -> Position:
    north = km * cos(direction) / _KM_PER_DEGREE
    # Near the poles a degree of longitude is nothing; nobody is searched for there.
    east = km * sin(direction) / (_KM_PER_DEGREE * max(cos(radians(start.latitude)), 0.01))
    latitude = min(90.0, max(-90.0, start.latitude + north))
    longitude = (start.longitude + east + 180) % 360 - 180
    return Position(round(latitude, 4), round(longitude, 4))
