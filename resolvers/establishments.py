"""Establishments for fields that know a SIRET: those of one operation are one question to INSEE."""

from __future__ import annotations

from clients.errors import PartnerError, PartnerRejected
from clients.sirene import Establishment
from models.enums import Partner
from resolvers.context import ResolveInfo, context_of
from resolvers.lookups import look_up, not_configured_error, unavailable_error
from services.lookups import Answer


async def establishment_of(info: ResolveInfo, siret: str) -> Answer[Establishment] | None:
    """Return what INSEE publishes of a number; None where it publishes nothing.

    Raises PartnerUnavailableError when INSEE gives no answer and none is remembered, or Sirene is off.
    """
    establishments = context_of(info).resources.establishments
    if establishments is None:
        raise not_configured_error(Partner.SIRENE)
    try:
        answer = await look_up(info, establishments.by_siret, siret)
    except PartnerRejected:
        return None  # an invented number, or a company that objects: there is nothing to wait for
    except PartnerError as error:
        raise unavailable_error(Partner.SIRENE, error) from None
    return answer if answer.value is not None else None
