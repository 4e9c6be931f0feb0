"""Sirene's answers in their own shape: every field may be missing, null or withheld."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

# What a partially disclosed unit keeps to itself comes as this text, in any field.
_WITHHELD = "[ND]"


def _disclosed(value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
        return None if not value or _WITHHELD in value else value
    return value


Text = Annotated[str | None, BeforeValidator(_disclosed)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Period(_Shape):
    """A stretch of an establishment's history; the current one has no end."""

    ends_on: Text = Field(default=None, alias="dateFin")
    state: Text = Field(default=None, alias="etatAdministratifEtablissement")
    naf: Text = Field(default=None, alias="activitePrincipaleEtablissement")
    naf_nomenclature: Text = Field(default=None, alias="nomenclatureActivitePrincipaleEtablissement")
    naf_2025: Text = Field(default=None, alias="activitePrincipaleNAF25Etablissement")
    usual_name: Text = Field(default=None, alias="denominationUsuelleEtablissement")
    sign_1: Text = Field(default=None, alias="enseigne1Etablissement")
    sign_2: Text = Field(default=None, alias="enseigne2Etablissement")
    sign_3: Text = Field(default=None, alias="enseigne3Etablissement")


class Address(_Shape):
    complement: Text = Field(default=None, alias="complementAdresseEtablissement")
    number: Text = Field(default=None, alias="numeroVoieEtablissement")
    repetition: Text = Field(default=None, alias="indiceRepetitionEtablissement")
    street_kind: Text = Field(default=None, alias="typeVoieEtablissement")
    street_name: Text = Field(default=None, alias="libelleVoieEtablissement")
    post_code: Text = Field(default=None, alias="codePostalEtablissement")
    city: Text = Field(default=None, alias="libelleCommuneEtablissement")
    insee_code: Text = Field(default=None, alias="codeCommuneEtablissement")
    foreign_city: Text = Field(default=None, alias="libelleCommuneEtrangerEtablissement")
    country_code: Text = Field(default=None, alias="codePaysEtrangerEtablissement")


class LegalUnit(_Shape):
    state: Text = Field(default=None, alias="etatAdministratifUniteLegale")
    disclosure: Text = Field(default=None, alias="statutDiffusionUniteLegale")
    category: Text = Field(default=None, alias="categorieJuridiqueUniteLegale")
    name: Text = Field(default=None, alias="denominationUniteLegale")
    usual_name: Text = Field(default=None, alias="denominationUsuelle1UniteLegale")
    acronym: Text = Field(default=None, alias="sigleUniteLegale")
    last_name: Text = Field(default=None, alias="nomUniteLegale")
    last_name_in_use: Text = Field(default=None, alias="nomUsageUniteLegale")
    first_name: Text = Field(default=None, alias="prenom1UniteLegale")
    first_name_in_use: Text = Field(default=None, alias="prenomUsuelUniteLegale")
    naf: Text = Field(default=None, alias="activitePrincipaleUniteLegale")
    naf_nomenclature: Text = Field(default=None, alias="nomenclatureActivitePrincipaleUniteLegale")


class EstablishmentAnswer(_Shape):
    siret: Annotated[str, Field(pattern=r"^\d{14}$")]
    disclosure: Text = Field(default=None, alias="statutDiffusionEtablissement")
    is_head_office: bool | None = Field(default=None, alias="etablissementSiege")
    naf_2025: Text = Field(default=None, alias="activitePrincipaleNAF25Etablissement")
    address: Address = Field(alias="adresseEtablissement")
    legal_unit: LegalUnit = Field(alias="uniteLegale")
    periods: list[Period] = Field(alias="periodesEtablissement")

    @property
    def current_period(self) -> Period | None:
        return next((period for period in self.periods if period.ends_on is None), None)


class OneAnswer(_Shape):
    establishment: EstablishmentAnswer = Field(alias="etablissement")


class Header(_Shape):
    total: int | None = None


class ManyAnswer(_Shape):
    """The establishments stay raw: one that cannot be read must not hide the others."""

    header: Header = Header()
    establishments: list[dict[str, Any]] = Field(alias="etablissements", repr=False)


ESTABLISHMENT = TypeAdapter(EstablishmentAnswer)
ONE_ANSWER = TypeAdapter(OneAnswer)
MANY_ANSWER = TypeAdapter(ManyAnswer)
