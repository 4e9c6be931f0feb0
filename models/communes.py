"""The communes of France, as API Géo lists them: the copy that fields, searches and sweeps answer from."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class Commune(Model):
    """A commune, or an arrondissement of Paris, Lyon or Marseille, under its INSEE code. No row is ever deleted."""

    insee_code = fields.CharField(max_length=5, primary_key=True)
    name = fields.CharField(max_length=100)
    search_name = fields.CharField(max_length=100, description="what search_text() makes of the name")
    post_codes: list[str] = ArrayField("text", description="several communes share one, and a commune may have several")
    epci_code = fields.CharField(max_length=9, null=True)
    parent_code = fields.CharField(max_length=5, null=True, description="of an arrondissement: its commune")
    former_codes: list[str] = ArrayField("text", description="of the communes that were merged into this one")
    population: int | None = fields.IntField(null=True)
    latitude: float | None = fields.FloatField(null=True)
    longitude: float | None = fields.FloatField(null=True)
    is_manual = fields.BooleanField(
        default=False, db_default=False, description="corrected by hand: no synchronisation touches it"
    )
    updated_at: datetime = fields.DatetimeField(description="when what is said here last changed")
    removed_at: datetime | None = fields.DatetimeField(null=True, description="since when API Géo does not list it")

    class Meta:
        table = "commune"

    def __str__(self) -> str:
        return f"Commune {self.insee_code}"


def search_text(name: str) -> str:
    """A name without accents, capitals, hyphens and apostrophes: `L'Haÿ-les-Roses` is `l hay les roses`."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LIGATURES))
    return " ".join(_BETWEEN_WORDS.sub(" ", "".join(c for c in plain if not unicodedata.combining(c))).split())
