"""Establishments as INSEE's Sirene publishes them: asked for together, kept for a day, served older in an outage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from clients.errors import Delivery, ErrorCode, PartnerError, PartnerRejected, PartnerUnavailable
from clients.sirene import Establishment, SireneClient, SireneOutcome, sirene_outcome
from models.enums import Partner
from services.lookup_cache import LookupCache
from services.lookups import Lookup, LookupPolicy, one_by_one

_OPERATION = "establishments"


class Establishments:
    """Establishments by their SIRET, for everybody: nothing is kept, or shown, that INSEE keeps to itself.

    Build it once a process. Values are None for numbers that INSEE does not know. A number that cannot be asked for is
    a PartnerRejected with `code` SIRET_INVALID, one whose company objects COMPANY_OPPOSED.
    """

    def __init__(self, client: SireneClient, cache: LookupCache) -> None:
        self._client = client
        self.by_siret: Lookup[str, Establishment] = Lookup(
            cache,
            LookupPolicy(
                name="establishment",
                version=1,
                partner=Partner.SIRENE.value,
                fresh=timedelta(days=1),
                # Whoever objects to publication must not wait for long; nor does an outage of INSEE's last longer.
                stale=timedelta(days=7),
                nothing=timedelta(hours=1),
                deadline=timedelta(seconds=5),
            ),
            value=Establishment,
            key=str,
            fetch=self._fetch,
        )

    async def _fetch(self, sirets: Sequence[str]) -> Mapping[str, Establishment | PartnerError]:
        """One call for one, which says most when it is refused, and one call for any number of them."""
        if len(sirets) == 1:
            return await one_by_one(sirets, self._one, at_once=1)
        found = await self._client.establishments(sirets)
        told = {siret: _told(outcome) for siret, outcome in found.items()}
        return {siret: value for siret, value in told.items() if value is not None}

    async def _one(self, siret: str) -> Establishment | None:
        try:
            return as_public(await self._client.establishment(siret))
        except PartnerRejected as error:
            if sirene_outcome(error) is SireneOutcome.SIRET_UNKNOWN:
                return None
            raise


def _told(outcome: Establishment | SireneOutcome) -> Establishment | PartnerError | None:
    match outcome:
        case Establishment():
            return as_public(outcome)
        case SireneOutcome.SIRET_UNKNOWN:
            return None
        case SireneOutcome.SIRENE_BAD_RESPONSE:
            return PartnerUnavailable(
                Partner.SIRENE.value, _OPERATION, "an unreadable establishment", code=ErrorCode.UNEXPECTED_SHAPE
            )
        case _:
            return PartnerRejected(
                Partner.SIRENE.value, _OPERATION, "not searched", code=outcome, delivery=Delivery.NOT_SENT
            )


def as_public(found: Establishment) -> Establishment:
    """Return what everybody may know: the flavour of administrations tells more of partially disclosed units.

    Source: code de commerce, article R123-232. Where it is not said what a unit is, it may be a person.
    """
    if not found.is_partially_disclosed:
        return found
    public = replace(found, acronym=None, address_line_1=None, address_line_2=None)
    if found.is_sole_proprietor or found.legal_category is None:
        return replace(public, name=None, trade_name=None, post_code=None)
    return public
