"""What one establishment of the register becomes: names, addresses, activity, state, disclosure."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clients.errors import PartnerUnavailable
from clients.sirene import Establishment, SireneOutcome, sirene_outcome
from tests.unit.clients.sirene import SIRET, Register, establishment, one, register_with

PERSON = {
    "categorieJuridiqueUniteLegale": "1000",
    "denominationUniteLegale": None,
    "prenom1UniteLegale": "ONDINE",
    "nomUniteLegale": "CLAIRVAL",
}
WITHHELD = establishment(
    statutDiffusionEtablissement="P",
    unit=PERSON | {"statutDiffusionUniteLegale": "P", "nomUniteLegale": "[ND]", "prenom1UniteLegale": "[ND]"},
    address={
        "complementAdresseEtablissement": "[ND]",
        "numeroVoieEtablissement": "[ND]",
        "indiceRepetitionEtablissement": None,
        "typeVoieEtablissement": "[ND]",
        "libelleVoieEtablissement": "[ND]",
        "codePostalEtablissement": "[ND]",
        "libelleCommuneEtablissement": "LILLE",
        "codeCommuneEtablissement": "59350",
    },
    period={"enseigne1Etablissement": "[ND]", "activitePrincipaleEtablissement": "81.21Z"},
)


@pytest.fixture
async def register() -> AsyncIterator[Register]:
    async with register_with() as register:
        yield register


async def read(register: Register, **changes: Any) -> Establishment:
    register.get.respond(200, json=one(**changes))
    return await register.client.establishment(SIRET)


async def test_an_open_head_office_is_read_in_full(register: Register):
    found = await read(register)

    assert found == Establishment(
        siret=SIRET,
        name="LES JARDINS DE L'ECHELLE",
        trade_name=None,
        acronym="LJE",
        address_line_1="12 BIS RUE DES TILLEULS INVENTES",
        address_line_2="BATIMENT B",
        post_code="57000",
        city="METZ",
        insee_code="57463",
        naf="8899B",
        naf_2025=None,
        legal_category="9220",
        is_head_office=True,
        is_closed=False,
        is_legal_unit_ceased=False,
        is_sole_proprietor=False,
        is_partially_disclosed=False,
        is_abroad=False,
    )
    assert found.siren == SIRET[:9]


async def test_a_closed_establishment_is_found_closed(register: Register):
    found = await read(
        register,
        period={"etatAdministratifEtablissement": "F"},
        unit={"etatAdministratifUniteLegale": "C"},
        etablissementSiege=False,
    )

    assert (found.is_closed, found.is_legal_unit_ceased, found.is_head_office) == (True, True, False)


@pytest.mark.parametrize("is_first", [True, False])
async def test_the_period_without_an_end_counts_wherever_it_stands(register: Register, is_first: bool):
    periods = establishment()["periodesEtablissement"]
    del periods[0]["dateFin"]

    found = await read(register, periodesEtablissement=periods if is_first else periods[::-1])

    assert (found.is_closed, found.naf) == (False, "8899B")


@pytest.mark.parametrize("periods", [[], [{"dateFin": "2019-12-31", "etatAdministratifEtablissement": "A"}]])
async def test_without_a_current_period_nobody_knows_and_that_is_a_bad_response(
    register: Register, periods: list[dict[str, Any]]
):
    with pytest.raises(PartnerUnavailable) as caught:
        await read(register, periodesEtablissement=periods)

    assert sirene_outcome(caught.value) is SireneOutcome.SIRENE_BAD_RESPONSE


@pytest.mark.parametrize("key", ["uniteLegale", "adresseEtablissement", "periodesEtablissement", "siret"])
async def test_an_establishment_without_an_essential_part_is_a_bad_response(register: Register, key: str):
    answer = one()
    del answer["etablissement"][key]
    register.get.respond(200, json=answer)

    with pytest.raises(PartnerUnavailable) as caught:
        await register.client.establishment(SIRET)

    assert sirene_outcome(caught.value) is SireneOutcome.SIRENE_BAD_RESPONSE


async def test_fields_may_be_absent_instead_of_null(register: Register):
    found = await read(register, uniteLegale={}, adresseEtablissement={}, periodesEtablissement=[{}])

    assert (found.name, found.address_line_1, found.naf, found.is_closed) == (None, None, None, False)
    assert found.is_partially_disclosed


@pytest.mark.parametrize(
    ("unit", "period", "name"),
    [
        ({"denominationUniteLegale": "LEGAL"}, {"denominationUsuelleEtablissement": "USUAL"}, "LEGAL"),
        (PERSON, {}, "ONDINE CLAIRVAL"),
        (PERSON | {"prenomUsuelUniteLegale": "DINA", "nomUsageUniteLegale": "PERRIN"}, {}, "DINA PERRIN"),
        (PERSON | {"prenom1UniteLegale": "[ND]"}, {}, "CLAIRVAL"),
        (PERSON | {"nomUniteLegale": None}, {}, "ONDINE"),
        ({"denominationUniteLegale": "[ND]"}, {}, None),
        ({"denominationUniteLegale": "[ND]", "denominationUsuelle1UniteLegale": "TRADE"}, {}, "TRADE"),
        ({"denominationUniteLegale": " "}, {"denominationUsuelleEtablissement": "USUAL"}, "USUAL"),
        ({"denominationUniteLegale": None}, {"enseigne1Etablissement": "SIGN"}, "SIGN"),
    ],
)
async def test_the_name_is_the_legal_one_else_the_persons_else_a_trade_name(
    register: Register, unit: dict[str, Any], period: dict[str, Any], name: str | None
):
    assert (await read(register, unit=unit, period=period)).name == name


@pytest.mark.parametrize(
    ("period", "trade_name"),
    [
        ({"denominationUsuelleEtablissement": "USUAL", "enseigne1Etablissement": "SIGN"}, "USUAL"),
        ({"enseigne1Etablissement": "SIGN"}, "SIGN"),
        ({"enseigne3Etablissement": "THIRD"}, "THIRD"),
        ({}, "OF THE UNIT"),
    ],
)
async def test_the_trade_name_is_the_establishments_before_the_units(
    register: Register, period: dict[str, Any], trade_name: str
):
    found = await read(register, unit={"denominationUsuelle1UniteLegale": "OF THE UNIT"}, period=period)

    assert found.trade_name == trade_name


async def test_a_sole_proprietor_is_told(register: Register):
    found = await read(register, unit=PERSON)

    assert (found.is_sole_proprietor, found.is_partially_disclosed) == (True, False)


async def test_what_is_withheld_is_none_and_its_mark_appears_nowhere(register: Register):
    register.get.respond(200, json={"etablissement": WITHHELD})

    found = await register.client.establishment(SIRET)

    assert (found.name, found.trade_name, found.address_line_1, found.address_line_2) == (None, None, None, None)
    assert (found.post_code, found.city, found.insee_code, found.naf) == (None, "LILLE", "59350", "8121Z")
    assert found.is_partially_disclosed
    values = [getattr(found, name) for name in Establishment.__slots__]
    assert not any(isinstance(value, str) and "[ND]" in value for value in values)


@pytest.mark.parametrize(
    ("of_establishment", "of_unit", "is_partial"),
    [("O", "O", False), ("P", "O", True), ("O", "P", True), ("P", "P", True), ("N", "O", True), ("O", None, True)],
)
async def test_either_status_protects_and_so_does_one_that_is_not_known(
    register: Register, of_establishment: str, of_unit: str | None, is_partial: bool
):
    found = await read(
        register, statutDiffusionEtablissement=of_establishment, unit={"statutDiffusionUniteLegale": of_unit}
    )

    assert found.is_partially_disclosed is is_partial


@pytest.mark.parametrize(
    ("period", "unit", "naf"),
    [
        ({"activitePrincipaleEtablissement": "81.21Z"}, {}, "8121Z"),
        ({"nomenclatureActivitePrincipaleEtablissement": "NAFRev1"}, {}, "8130Z"),
        ({"nomenclatureActivitePrincipaleEtablissement": None}, {}, "8130Z"),
        ({"activitePrincipaleEtablissement": "85.3K"}, {}, "8130Z"),
        ({"activitePrincipaleEtablissement": None}, {"activitePrincipaleUniteLegale": "85.3K"}, None),
        (
            {"activitePrincipaleEtablissement": None},
            {"nomenclatureActivitePrincipaleUniteLegale": "NAF1993"},
            None,
        ),
        (
            {"activitePrincipaleEtablissement": None},
            {"nomenclatureActivitePrincipaleUniteLegale": "NAFRev2"},
            "8130Z",
        ),
    ],
)
async def test_the_activity_is_the_establishments_else_the_units_and_never_of_an_old_nomenclature(
    register: Register, period: dict[str, Any], unit: dict[str, Any], naf: str | None
):
    assert (await read(register, period=period, unit=unit)).naf == naf


async def test_the_code_of_naf_2025_is_read_at_either_level(register: Register):
    in_period = await read(register, period={"activitePrincipaleNAF25Etablissement": "88.99H"})
    above = await read(register, activitePrincipaleNAF25Etablissement="88.99H")

    assert (in_period.naf, in_period.naf_2025, above.naf_2025) == ("8899B", "8899H", "8899H")


@pytest.mark.parametrize(
    ("address", "street"),
    [
        ({"numeroVoieEtablissement": None, "indiceRepetitionEtablissement": None}, "RUE DES TILLEULS INVENTES"),
        ({"typeVoieEtablissement": "[ND]", "libelleVoieEtablissement": "[ND]"}, "12 BIS"),
        (
            dict.fromkeys(
                (
                    "numeroVoieEtablissement",
                    "indiceRepetitionEtablissement",
                    "typeVoieEtablissement",
                    "libelleVoieEtablissement",
                )
            ),
            None,
        ),
    ],
)
async def test_the_street_is_what_is_known_of_it(register: Register, address: dict[str, Any], street: str | None):
    assert (await read(register, address=address)).address_line_1 == street


async def test_an_establishment_abroad_is_told(register: Register):
    abroad = {
        "codePostalEtablissement": None,
        "libelleCommuneEtablissement": None,
        "codeCommuneEtablissement": None,
        "libelleCommuneEtrangerEtablissement": "SARREBRUCK",
        "codePaysEtrangerEtablissement": "99109",
    }

    found = await read(register, address=abroad)

    assert (found.is_abroad, found.city, found.insee_code) == (True, "SARREBRUCK", None)


async def test_an_establishment_prints_neither_a_name_nor_an_address(register: Register):
    found = await read(register, unit=PERSON)

    printed = repr(found)

    assert SIRET in printed
    assert not any(word in printed for word in ("ONDINE", "CLAIRVAL", "TILLEULS", "METZ", "57"))
