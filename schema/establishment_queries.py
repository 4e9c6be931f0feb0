"""One establishment by its number, for whoever types one."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from clients.errors import PartnerError
from clients.sirene import clean_siret
from resolvers.context import OperationContext, context_of
from resolvers.errors import Forbidden
from resolvers.lookups import look_up
from resolvers.viewer import Scope
from schema.errors import ErrorCode, InvalidInput, NotFound, PartnerRejected, PartnerUnavailable
from schema.info import Info
from schema.sirene_errors import invalid_siret, refused_by_sirene, sirene_off, unavailable
from schema.types.establishments import Establishment, establishment

EstablishmentResult = Annotated[
    Establishment | InvalidInput | NotFound | PartnerRejected | PartnerUnavailable,
    strawberry.union("EstablishmentResult"),
]


@strawberry.type
class EstablishmentQueries:
    @strawberry.field(
        description=(
            "What INSEE publishes of an establishment, open or closed, by its SIRET in any usual spelling. Limited per"
            " account."
        )
    )
    async def establishment(self, info: Info, siret: str) -> EstablishmentResult:
        context = context_of(info.raw)
        if context.signed_in().scope is Scope.PARTNER:
            raise Forbidden("establishment: not for machine clients")
        establishments = context.resources.establishments
        if establishments is None:
            return sirene_off()
        number = clean_siret(siret)
        if number is None:
            return invalid_siret()
        if await _is_too_often(context, number):
            return unavailable(ErrorCode.RATE_LIMITED, "Trop de recherches d'entreprises. Réessayez dans une minute.")
        try:
            answer = await establishments.exactly(number, ask=partial(look_up, info.raw))
        except PartnerError as error:
            return refused_by_sirene(error)
        found = establishment(answer)
        if found is None:
            return NotFound(
                message="Ce SIRET est inconnu de l'INSEE. Vérifiez chaque chiffre.", code=ErrorCode.NOT_FOUND
            )
        return found


async def _is_too_often(context: OperationContext, number: str) -> bool:
    """INSEE's few calls a minute are everybody's: no one may take them all."""
    throttle = context.resources.establishment_searches
    if throttle is None:
        return False
    account = f"account {context.viewer.user_id}"

    async def take(numbers: list[str]) -> list[bool]:
        return [await throttle.take(account) > 0 for _ in numbers]

    # Gathered, or those of one operation would go on one after the other, each to a call of its own.
    return await context.loader("establishment searches", take).load(number)
