"""One result of the geocoder, and how it is written."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.gazetteer import Commune

JSON = dict[str, Any]


class Kind(StrEnum):
    HOUSE_NUMBER = "housenumber"
    STREET = "street"
    LOCALITY = "locality"
    MUNICIPALITY = "municipality"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An address of the commune that is asked for: any street exists, where a word of it does not say otherwise."""

    commune: Commune
    kind: Kind
    street: str = ""
    number: str = ""
    post_code: str = ""  # empty: the commune has several and the request told none

    @property
    def name(self) -> str:
        if self.kind is Kind.MUNICIPALITY:
            return self.commune.city
        return f"{self.number} {self.street}".strip()

    @property
    def label(self) -> str:
        if self.kind is Kind.MUNICIPALITY:
            return self.name
        return " ".join(filter(None, (self.name, self.post_code, self.commune.city)))

    @property
    def id(self) -> str:
        if self.kind is Kind.MUNICIPALITY:
            return self.commune.code
        street = f"{self.commune.code}_{self._draw('street', self.street) % 10_000:04d}"
        digits = "".join(character for character in self.number if character.isdigit())
        suffix = self.number[len(digits) :].lower()
        return street + (f"_{int(digits):05d}{f'_{suffix}' if suffix else ''}" if digits else "")

    @property
    def coordinates(self) -> tuple[float, float]:
        """Longitude, latitude: the same ones for the same address, within a kilometre of the centre."""
        if self.kind is Kind.MUNICIPALITY:
            return self.commune.longitude, self.commune.latitude
        east = self._draw("east", self.name) % 2001 / 100_000 - 0.01
        north = self._draw("north", self.name) % 2001 / 100_000 - 0.01
        return round(self.commune.longitude + east, 6), round(self.commune.latitude + north, 6)

    def properties(self, score: float) -> JSON:
        longitude, latitude = self.coordinates
        written: JSON = {
            "label": self.label,
            "score": score,
            "id": self.id,
            "banId": None,
            "name": self.name,
            "postcode": self.post_code or None,
            "citycode": self.commune.code,
            "city": self.commune.city,
            "district": self.commune.name if self.commune.is_arrondissement else None,
            "context": self.commune.context,
            "type": self.kind.value,
            "importance": round(min(0.9, 0.3 + self.commune.population / 3_000_000), 5),
            # Lambert-93 in spirit: metres, so that whoever takes them for degrees is found out.
            "x": round(700_000 + (longitude - 3) * 75_000, 2),
            "y": round(6_600_000 + (latitude - 46.5) * 111_000, 2),
            "housenumber": self.number or None,
            "street": self.street if self.number else None,
        }
        return {key: value for key, value in written.items() if value is not None}

    def feature(self, score: float) -> JSON:
        geometry = {"type": "Point", "coordinates": list(self.coordinates)}
        return {"type": "Feature", "geometry": geometry, "properties": self.properties(score)}

    def _draw(self, purpose: str, text: str) -> int:
        seed = f"{purpose}:{self.commune.code}:{text.casefold()}".encode()
        return int.from_bytes(hashlib.sha256(seed).digest()[:8])
