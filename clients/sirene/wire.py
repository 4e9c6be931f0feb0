"""Sirene's answers in their own shape: every field may be missing, null or withheld."""

from typing import Annotated, Any

import msgspec

from clients.shapes import Shape, Wire

# What a partially disclosed unit keeps to itself comes as this text, in any field.
_WITHHELD = "[ND]"


class _Disclosed(Wire):
    """What is withheld, or blank, is None like what is missing; other texts lose the blanks around them."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                msgspec.structs.force_setattr(self, name, None if _WITHHELD in value else value.strip() or None)


class Period(_Disclosed):
    """A stretch of an establishment's history; the current one has no end."""

    ends_on: str | None = msgspec.field(default=None, name="dateFin")
    state: str | None = msgspec.field(default=None, name="etatAdministratifEtablissement")
    naf: str | None = msgspec.field(default=None, name="activitePrincipaleEtablissement")
    naf_nomenclature: str | None = msgspec.field(default=None, name="nomenclatureActivitePrincipaleEtablissement")
    naf_2025: str | None = msgspec.field(default=None, name="activitePrincipaleNAF25Etablissement")
    usual_name: str | None = msgspec.field(default=None, name="denominationUsuelleEtablissement")
    sign_1: str | None = msgspec.field(default=None, name="enseigne1Etablissement")
    sign_2: str | None = msgspec.field(default=None, name="enseigne2Etablissement")
    sign_3: str | None = msgspec.field(default=None, name="enseigne3Etablissement")


class Address(_Disclosed):
    complement: str | None = msgspec.field(default=None, name="complementAdresseEtablissement")
    number: str | None = msgspec.field(default=None, name="numeroVoieEtablissement")
    repetition: str | None = msgspec.field(default=None, name="indiceRepetitionEtablissement")
    street_kind: str | None = msgspec.field(default=None, name="typeVoieEtablissement")
    street_name: str | None = msgspec.field(default=None, name="libelleVoieEtablissement")
    post_code: str | None = msgspec.field(default=None, name="codePostalEtablissement")
    city: str | None = msgspec.field(default=None, name="libelleCommuneEtablissement")
    insee_code: str | None = msgspec.field(default=None, name="codeCommuneEtablissement")
    foreign_city: str | None = msgspec.field(default=None, name="libelleCommuneEtrangerEtablissement")
    country_code: str | None = msgspec.field(default=None, name="codePaysEtrangerEtablissement")


class LegalUnit(_Disclosed):
    state: str | None = msgspec.field(default=None, name="etatAdministratifUniteLegale")
    disclosure: str | None = msgspec.field(default=None, name="statutDiffusionUniteLegale")
    category: str | None = msgspec.field(default=None, name="categorieJuridiqueUniteLegale")
    name: str | None = msgspec.field(default=None, name="denominationUniteLegale")
    usual_name: str | None = msgspec.field(default=None, name="denominationUsuelle1UniteLegale")
    acronym: str | None = msgspec.field(default=None, name="sigleUniteLegale")
    last_name: str | None = msgspec.field(default=None, name="nomUniteLegale")
    last_name_in_use: str | None = msgspec.field(default=None, name="nomUsageUniteLegale")
    first_name: str | None = msgspec.field(default=None, name="prenom1UniteLegale")
    first_name_in_use: str | None = msgspec.field(default=None, name="prenomUsuelUniteLegale")
    naf: str | None = msgspec.field(default=None, name="activitePrincipaleUniteLegale")
    naf_nomenclature: str | None = msgspec.field(default=None, name="nomenclatureActivitePrincipaleUniteLegale")


class EstablishmentAnswer(_Disclosed):
    siret: Annotated[str, msgspec.Meta(pattern=r"^\d{14}\Z")]
    address: Address = msgspec.field(name="adresseEtablissement")
    legal_unit: LegalUnit = msgspec.field(name="uniteLegale")
    periods: list[Period] = msgspec.field(name="periodesEtablissement")
    disclosure: str | None = msgspec.field(default=None, name="statutDiffusionEtablissement")
    is_head_office: bool | None = msgspec.field(default=None, name="etablissementSiege")
    naf_2025: str | None = msgspec.field(default=None, name="activitePrincipaleNAF25Etablissement")

    @property
    def current_period(self) -> Period | None:
        return next((period for period in self.periods if period.ends_on is None), None)


class OneAnswer(Wire):
    establishment: EstablishmentAnswer = msgspec.field(name="etablissement")


class Header(Wire):
    total: int | None = None


class ManyAnswer(Wire):
    """The establishments stay raw: one that cannot be read must not hide the others."""

    establishments: list[dict[str, Any]] = msgspec.field(name="etablissements")
    header: Header = Header()


ESTABLISHMENT = Shape(EstablishmentAnswer)
ONE_ANSWER = Shape(OneAnswer)
MANY_ANSWER = Shape(ManyAnswer)
