"""data·inclusion v1: the national directory of inclusion structures. Source: api.data.inclusion.gouv.fr/api/docs."""

from clients.data_inclusion.client import DataInclusionClient
from clients.data_inclusion.config import (
    OWN_SOURCE,
    DataInclusionConfig,
    build_data_inclusion_http,
    foreign_sources,
)
from clients.data_inclusion.errors import DataInclusionMisconfigured, DirectoryFailure, directory_failure
from clients.data_inclusion.records import DataSource, FoundStructures, Location, Structure, StructureReference

__all__ = [
    "OWN_SOURCE",
    "DataInclusionClient",
    "DataInclusionConfig",
    "DataInclusionMisconfigured",
    "DataSource",
    "DirectoryFailure",
    "FoundStructures",
    "Location",
    "Structure",
    "StructureReference",
    "build_data_inclusion_http",
    "directory_failure",
    "foreign_sources",
]
