"""What can be set on the simulated data·inclusion."""

from typing import Annotated

from msgspec import Meta

from sandbox.partner import PartnerSettings

TOKEN = "not-a-real-directory-token"  # noqa: S105 - it opens a simulator


class DataInclusionSettings(PartnerSettings):
    """`overlap`: how many items a page repeats of the one before, as when the data are rebuilt between two calls.

    `has_odd_records`: adds records that do not follow the documentation.
    """

    token: str = TOKEN
    scopes: frozenset[str] = frozenset({"api"})
    overlap: Annotated[int, Meta(ge=0, le=100)] = 0
    has_odd_records: bool = False
