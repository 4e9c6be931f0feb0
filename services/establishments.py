"""Establishments as INSEE's Sirene publishes them: asked for together, kept for a day, served older in an outage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from clients.errors import Delivery, ErrorCode, PartnerError, PartnerRejected, PartnerUnavailable
from clients.sirene import Establishment, SireneClient, SireneOutcome, sirene_outcome
from models.enums import Partner
from services.lookup_cache import LookupCache
from services.lookups import Answer, Lookup, LookupPolicy, one_by_one

_OPERATION = "establishments"
Ask = Callable[[Lookup[str, Establishment], str], Awaitable[Answer[Establishment]]]


async def _ask(lookup: Lookup[str, Establishment], siret: str) -> Answer[Establishment]:
    return await lookup.one(siret)


class Establishments:
    """Establishments by their SIRET, for everybody: nothing is kept, or shown, that INSEE keeps to itself.

    Build it once a process. `by_siret` is for pages. Values are None for numbers that INSEE does not know. A number
    that cannot be asked for is a PartnerRejected with `code` SIRET_INVALID, one whose company objects COMPANY_OPPOSED.
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
        self._alone: Lookup[str, Establishment] = Lookup(
            cache,
            LookupPolicy(
                name="establishment_alone",
                version=1,
                partner=Partner.SIRENE.value,
                # What there is, `by_siret` remembers.
                fresh=timedelta(0),
                nothing=timedelta(hours=1),
                # Comes after a search that may have taken its own five, within the ten of an operation.
                deadline=timedelta(seconds=4),
            ),
            value=Establishment,
            key=str,
            fetch=self._fetch_alone,
        )

    async def exactly(self, siret: str, *, ask: Ask = _ask) -> Answer[Establishment]:
        """The answer for whoever asks about this very number: also why there is none, or what replaced it.

        A search lists neither a company that objects nor a number that was replaced: "not listed" is a hint, and such a
        number is asked for by itself. Where INSEE has no time for that, the hint is the answer. `ask`: how a look-up is
        asked, where keys are to be gathered. Raises PartnerError when INSEE refuses, or gave no answer at all.
        """
        answer = await ask(self.by_siret, siret)
        if answer.value is not None:
            return answer
        try:
            return await ask(self._alone, siret)
        except PartnerUnavailable:
            return answer

    async def _fetch(self, sirets: Sequence[str]) -> Mapping[str, Establishment | PartnerError]:
        """One call for one, which says most when it is refused, and one call for any number of them."""
        if len(sirets) == 1:
            # Also leaves there that INSEE, asked for this very number, knew none. The deadline is that of `by_siret`.
            outcomes = await self._alone.many(sirets, patience=self._alone.policy.flight)
            said = {
                siret: outcome.value if isinstance(outcome, Answer) else outcome for siret, outcome in outcomes.items()
            }
        else:
            found = await self._client.establishments(sirets)
            said = {siret: _told(outcome) for siret, outcome in found.items()}
        return {siret: value for siret, value in said.items() if value is not None}

    async def _fetch_alone(self, sirets: Sequence[str]) -> Mapping[str, Establishment | PartnerError]:
        return await one_by_one(sirets, self._one, at_once=1)

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
