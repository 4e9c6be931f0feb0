"""Places on earth as partners send them: GeoJSON (RFC 7946), WGS 84, in degrees."""

from typing import Annotated

import msgspec

from clients.shapes import Wire


class Point(Wire):
    # Longitude first.
    coordinates: tuple[Annotated[float, msgspec.Meta(ge=-180, le=180)], Annotated[float, msgspec.Meta(ge=-90, le=90)]]
