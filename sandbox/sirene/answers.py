"""How an establishment is written, and what of it is withheld."""

from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.sirene.register import History, Record

JSON = dict[str, Any]

WITHHELD = "[ND]"


def refusal(status: int, message: str) -> Response:
    return JSONResponse({"header": {"statut": status, "message": message}}, status_code=status)


def one(record: Record, *, sees_all: bool) -> Response:
    header = {"statut": 200, "message": "OK"}
    return JSONResponse({"header": header, "etablissement": establishment(record, sees_all=sees_all)})


def many(records: list[Record], *, start: int, count: int, sees_all: bool) -> Response:
    page = records[start : start + count]
    header = {"statut": 200, "message": "OK", "total": len(records), "debut": start, "nombre": len(page)}
    return JSONResponse(
        {"header": header, "etablissements": [establishment(record, sees_all=sees_all) for record in page]}
    )


def establishment(record: Record, *, sees_all: bool) -> JSON:
    """`sees_all`: administrations are told what partially disclosed units keep to themselves."""
    is_withheld = record.is_partially_disclosed and not sees_all
    disclosure = "P" if record.is_partially_disclosed else "O"
    return {
        "siren": record.siret[:9],
        "nic": record.siret[9:],
        "siret": record.siret,
        "statutDiffusionEtablissement": disclosure,
        "dateCreationEtablissement": "2004-02-01",
        "etablissementSiege": record.is_head_office,
        "nombrePeriodesEtablissement": 0 if record.history is History.NONE else 2,
        "uniteLegale": _unit(record, disclosure, is_withheld=is_withheld),
        "adresseEtablissement": _address(record, is_withheld=is_withheld),
        "periodesEtablissement": _periods(record, is_withheld=is_withheld),
    }


def _unit(record: Record, disclosure: str, *, is_withheld: bool) -> JSON:
    is_person_withheld = is_withheld and record.is_sole_proprietor
    return {
        "etatAdministratifUniteLegale": "A" if record.is_unit_active else "C",
        "statutDiffusionUniteLegale": disclosure,
        "categorieJuridiqueUniteLegale": record.category,
        "denominationUniteLegale": record.legal_name,
        "sigleUniteLegale": _shown(record.acronym, is_withheld=is_withheld),
        "denominationUsuelle1UniteLegale": _shown(record.trade_name, is_withheld=is_person_withheld),
        "nomUniteLegale": _shown(record.last_name, is_withheld=is_person_withheld),
        "nomUsageUniteLegale": None,
        "prenom1UniteLegale": _shown(record.first_name, is_withheld=is_person_withheld),
        "prenomUsuelUniteLegale": _shown(record.first_name, is_withheld=is_person_withheld),
        "activitePrincipaleUniteLegale": record.unit_naf,
        "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2" if record.unit_naf else None,
        "nicSiegeUniteLegale": record.siret[9:] if record.is_head_office else None,
    }


def _address(record: Record, *, is_withheld: bool) -> JSON:
    number, kind, name = record.street
    commune = record.commune
    is_person_withheld = is_withheld and record.is_sole_proprietor
    post_code = commune.post_codes[0] if commune else None
    return {
        "complementAdresseEtablissement": _shown(record.complement, is_withheld=is_withheld),
        "numeroVoieEtablissement": _shown(number, is_withheld=is_withheld),
        "indiceRepetitionEtablissement": None,
        "typeVoieEtablissement": _shown(kind, is_withheld=is_withheld),
        "libelleVoieEtablissement": _shown(name, is_withheld=is_withheld),
        "codePostalEtablissement": _shown(post_code, is_withheld=is_person_withheld),
        "libelleCommuneEtablissement": commune.city.upper() if commune else None,
        "codeCommuneEtablissement": commune.code if commune else None,
        "libelleCommuneEtrangerEtablissement": None if commune else "SARREBRUCK",
        "codePaysEtrangerEtablissement": None if commune else "99109",
    }


def _periods(record: Record, *, is_withheld: bool) -> list[JSON]:
    trade_name = _shown(record.trade_name, is_withheld=is_withheld and record.is_sole_proprietor)
    current = {
        "dateFin": None,
        "dateDebut": "2008-01-01",
        "etatAdministratifEtablissement": "A" if record.is_open else "F",
        "activitePrincipaleEtablissement": record.naf,
        "nomenclatureActivitePrincipaleEtablissement": record.nomenclature,
        "denominationUsuelleEtablissement": trade_name,
        "enseigne1Etablissement": None,
        "enseigne2Etablissement": None,
        "enseigne3Etablissement": None,
    }
    # In another state than the current one, so that whoever takes the wrong period is found out.
    past = {
        "dateFin": "2007-12-31",
        "dateDebut": "2004-02-01",
        "etatAdministratifEtablissement": "F" if record.is_open else "A",
        "activitePrincipaleEtablissement": "85.3K",
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev1",
        "denominationUsuelleEtablissement": None,
        "enseigne1Etablissement": None,
    }
    match record.history:
        case History.CURRENT_FIRST:
            return [current, past]
        case History.CURRENT_LAST:
            return [past, current]
        case History.NONE:
            return []


def _shown(value: str | None, *, is_withheld: bool) -> str | None:
    return WITHHELD if is_withheld and value is not None else value
