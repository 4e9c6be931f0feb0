"""The dashboards that this Metabase has: which filters each locks, and which cards stand on it."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

DEPARTMENT, REGION = "d%C3%A9partement", "r%C3%A9gion"
_ASP_ID, _COMPANY_ID = "id_asp_siae", "identifiant_de_la_structure_(c1)"
_PRESCRIBER_KIND, _PRESCRIBER_ID = "prescripteur", "id_prescripteur"
_NETWORK_ID = "id_r%C3%A9seau"


class DepartmentFormat(StrEnum):
    """How the data behind a dashboard write a department; another way matches nothing."""

    NAME = "name"  # "57 - Moselle"
    CODE = "code"  # "57"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    id: int
    title: str
    locked: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()  # may stand in a token, and need not
    department_format: DepartmentFormat = DepartmentFormat.NAME


class CardKind(StrEnum):
    MONTHS = "bar"
    TOTAL = "scalar"
    SHARES = "pie"
    DETAIL = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card in its place. Ids follow the dashboard's, so that they are the same in every process."""

    dashboard: Dashboard
    place_id: int
    card_id: int
    name: str
    kind: CardKind


def _dashboard(
    id_: int, title: str, *locked: str, code: bool = False, optional: frozenset[str] = frozenset()
) -> Dashboard:
    return Dashboard(
        id=id_,
        title=title,
        locked=frozenset(locked),
        optional=optional,
        department_format=DepartmentFormat.CODE if code else DepartmentFormat.NAME,
    )


_ALL = (
    _dashboard(236, "Chiffres clés"),
    _dashboard(465, "Effectifs, par structure", _ASP_ID),
    _dashboard(566, "Effectifs de l'organisation", _ASP_ID),
    _dashboard(185, "Recrutement de la structure", _COMPANY_ID),
    _dashboard(580, "Auto-prescription de la structure", _COMPANY_ID),
    _dashboard(550, "Salariés de la structure", _ASP_ID),
    _dashboard(643, "Données brutes de la structure", _ASP_ID, _COMPANY_ID),
    _dashboard(118, "L'IAE dans le département", DEPARTMENT, REGION),
    _dashboard(346, "Recrutement dans le département", DEPARTMENT, REGION),
    _dashboard(330, "Allocataires du RSA", DEPARTMENT, REGION),
    _dashboard(545, "Bénéficiaires de l'IAE", DEPARTMENT, code=True),
    _dashboard(169, "Transformation des candidatures", DEPARTMENT, _PRESCRIBER_KIND, code=True),
    _dashboard(496, "État des candidatures, France Travail", DEPARTMENT, _PRESCRIBER_KIND, code=True),
    _dashboard(183, "État des candidatures, détail", DEPARTMENT, _PRESCRIBER_KIND),
    _dashboard(573, "Recrutement, par département", DEPARTMENT, code=True),
    _dashboard(
        488,
        "État des candidatures, prescripteurs",
        *(DEPARTMENT, _PRESCRIBER_KIND, _PRESCRIBER_ID),
        optional=frozenset({REGION}),
    ),
    _dashboard(654, "Données brutes du prescripteur", _PRESCRIBER_ID),
    _dashboard(575, "Auto-prescription, par département", DEPARTMENT, code=True),
    _dashboard(144, "Contrôle a posteriori", DEPARTMENT, REGION),
    _dashboard(310, "Suivi des prescriptions", DEPARTMENT, REGION),
    _dashboard(578, "Effectifs, par région", DEPARTMENT, REGION),
    _dashboard(521, "L'IAE en France"),
    _dashboard(518, "Contrôle a posteriori en France"),
    _dashboard(549, "Hébergement et logement en France"),
    _dashboard(301, "Recrutement du réseau", _NETWORK_ID),
    _dashboard(446, "Convergence, prescriptions"),
    _dashboard(469, "Convergence, candidatures"),
    _dashboard(438, "Indicateurs du service"),
)
DASHBOARDS = MappingProxyType({dashboard.id: dashboard for dashboard in _ALL})

_CARD_NAMES = {
    CardKind.MONTHS: "Candidatures par mois",
    CardKind.TOTAL: "Total des candidatures",
    CardKind.SHARES: "Répartition des candidatures",
    CardKind.DETAIL: "Candidatures, détail",
}
_HEADING_PLACE = 0  # a text, which is no card


def heading_id(dashboard: Dashboard) -> int:
    return dashboard.id * 10 + _HEADING_PLACE


def cards_of(dashboard: Dashboard) -> tuple[Card, ...]:
    return tuple(
        Card(
            dashboard=dashboard,
            place_id=dashboard.id * 10 + number,
            card_id=100_000 + dashboard.id * 10 + number,
            name=name,
            kind=kind,
        )
        for number, (kind, name) in enumerate(_CARD_NAMES.items(), start=_HEADING_PLACE + 1)
    )
