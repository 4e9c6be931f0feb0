"""What is asked of the directory, and what it knows of a structure."""

from dataclasses import dataclass
from datetime import date

from clients.data_inclusion.config import OWN_SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Exactly one of the three. Overseas collectivities have no department code here: search by commune."""

    commune_insee_code: str | None = None
    department_code: str | None = None
    region_code: str | None = None

    def __post_init__(self) -> None:
        if len(self.query()) != 1:
            raise ValueError(f"a location is a commune, a department or a region: {len(self.query())} of them given")

    def query(self) -> dict[str, str | list[str]]:
        codes: dict[str, str | None] = {
            "code_commune": self.commune_insee_code,
            "code_departement": self.department_code,
            "code_region": self.region_code,
        }
        return {name: code for name, code in codes.items() if code}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureReference:
    source: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One record of one source. `description` may hold HTML or Markdown: sanitise it before it is shown.

    `siret` may be the head office's, and several structures may share it. `quality_score` is 0 to 1, and 0 for every
    structure without a service.
    """

    id: str
    source: str
    name: str
    updated_on: date | None
    description: str | None
    siret: str | None
    address_line_1: str | None
    address_line_2: str | None
    commune: str | None
    post_code: str | None
    insee_code: str | None
    latitude: float | None
    longitude: float | None
    phone: str | None
    email: str | None
    website: str | None
    source_url: str | None
    networks: tuple[str, ...]
    quality_score: float
    duplicates: tuple[StructureReference, ...]

    @property
    def is_own(self) -> bool:
        """Whether it is the platform's own record."""
        return self.source == OWN_SOURCE or self.id.startswith(f"{OWN_SOURCE}--")

    @property
    def own_uids(self) -> frozenset[str]:
        """The platform's ids of the records that data·inclusion holds for duplicates of this one."""
        ids = (duplicate.id for duplicate in self.duplicates if duplicate.source == OWN_SOURCE)
        return frozenset(id_.removeprefix(f"{OWN_SOURCE}--") for id_ in ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStructures:
    """What a search found, unique by id, none of them the platform's own.

    `skipped_ids`: records that could not be read. `is_complete`: false when there were more pages than we take.
    """

    structures: tuple[Structure, ...] = ()
    skipped_ids: tuple[str, ...] = ()
    is_complete: bool = True
