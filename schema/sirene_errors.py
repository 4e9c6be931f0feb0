"""What came of a question to Sirene that gave no establishment, as members of result unions."""

from __future__ import annotations

from clients.errors import PartnerError
from clients.sirene import SireneOutcome, sirene_outcome
from models.enums import Partner
from schema.errors import ErrorCode, FieldProblem, InvalidInput, PartnerRejected, PartnerUnavailable


def invalid_siret() -> InvalidInput:
    message = "Un SIRET a 14 chiffres, dont une clé de contrôle : vérifiez chaque chiffre."
    return InvalidInput(
        message=message, code=ErrorCode.INVALID_INPUT, problems=[FieldProblem(path=["siret"], message=message)]
    )


def refused_by_sirene(error: PartnerError) -> InvalidInput | PartnerRejected | PartnerUnavailable:
    match sirene_outcome(error):
        case SireneOutcome.SIRET_INVALID:
            return invalid_siret()
        case SireneOutcome.COMPANY_OPPOSED:
            return PartnerRejected(
                message="Cette entreprise s'oppose à la diffusion de ses données par l'INSEE.",
                code=ErrorCode.PARTNER_REJECTED,
                partner=Partner.SIRENE,
                partner_code=SireneOutcome.COMPANY_OPPOSED.value,
            )
        case SireneOutcome.SIRENE_BAD_RESPONSE:
            message = "L'INSEE a donné une réponse illisible. Réessayez plus tard."
        case _:
            message = "Le répertoire Sirene de l'INSEE ne répond pas pour le moment. Réessayez dans quelques minutes."
    return unavailable(ErrorCode.PARTNER_UNAVAILABLE, message, retry_after=error.retry_after)


def sirene_off() -> PartnerUnavailable:
    return unavailable(ErrorCode.NOT_CONFIGURED, "Le répertoire Sirene n'est pas configuré sur ce serveur.")


def unavailable(code: ErrorCode, message: str, *, retry_after: float | None = None) -> PartnerUnavailable:
    return PartnerUnavailable(
        message=message,
        code=code,
        partner=Partner.SIRENE,
        retry_after_seconds=None if retry_after is None else round(retry_after),
    )
