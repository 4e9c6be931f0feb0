"""Communes for fields that know an INSEE code: those of one operation are looked up together."""

from __future__ import annotations

from clients.api_geo import CommuneRecord
from clients.errors import PartnerError
from models.enums import Partner
from resolvers.context import ResolveInfo, context_of
from resolvers.lookups import look_up, not_configured_error, unavailable_error
from services.communes import Communes, insee_code_of


def communes_of(info: ResolveInfo) -> Communes:
    """Return what communes are looked up by. Raises PartnerUnavailableError where API Géo is off."""
    communes = context_of(info).resources.communes
    if communes is None:
        raise not_configured_error(Partner.API_GEO)
    return communes


async def commune_of(info: ResolveInfo, insee_code: str | None) -> CommuneRecord | None:
    """Return the commune of a code, None where there is no such code.

    Raises PartnerUnavailableError when API Géo gives no answer and none is remembered.
    """
    code = insee_code_of(insee_code or "")
    if code is None:
        return None
    try:
        return (await look_up(info, communes_of(info).by_code, code)).value
    except PartnerError as error:
        raise unavailable_error(Partner.API_GEO, error) from None
