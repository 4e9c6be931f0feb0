"""Companies, prescriber organisations and institutions, and the people who act for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from uuid import UUID

from demo.cast import well_known
from demo.cast.dice import Calendar, Dice
from demo.cast.identifiers import demo_id, make_email, make_landline, make_mobile
from demo.cast.names import first_name, last_name
from demo.cast.places import COMMUNES, METZ, Commune, address_in
from demo.cast.rows import (
    CompanyRow,
    InstitutionRow,
    MembershipRow,
    PartnerClientCompanyRow,
    PartnerClientRow,
    PrescriberOrganizationRow,
    UserRow,
)
from models.departments import DEPARTMENTS, REGIONS
from models.enums import CompanyKind, InstitutionKind, PartnerScope, PrescriberKind, Title, UserKind

_INSTITUTIONS = 44
_REGIONAL_INSTITUTIONS = 8
_STAFF = 5
_PARTNERS = 4
# Older than the first application that the cast knows of.
_YOUNGEST_DAYS, _OLDEST_DAYS = 2_600, 3_600

_COMPANY_KINDS = {
    CompanyKind.ACI: 38,
    CompanyKind.AI: 18,
    CompanyKind.EI: 20,
    CompanyKind.ETTI: 10,
    CompanyKind.EITI: 2,
    CompanyKind.GEIQ: 5,
    CompanyKind.EA: 4,
    CompanyKind.EATT: 1,
    CompanyKind.OPCS: 2,
}
_COMPANY_NAMES = {
    CompanyKind.ACI: ("Les Jardins de la Vallée", "Atelier du Geste Utile", "Chantier du Canal", "La Seconde Pousse"),
    CompanyKind.AI: ("Coup de Pouce Services", "Relais Emploi Proximité", "Entraide et Travail", "Mains Voisines"),
    CompanyKind.EI: ("Rénov'Solidaire", "Le Tri Gagnant", "Blanchisserie du Port", "Éco-Bâti Insertion"),
    CompanyKind.ETTI: ("Tremplin Intérim", "Intérim Solidaire", "Passage Intérim"),
    CompanyKind.EITI: ("Indépendants Ensemble", "Mon Tour d'Entreprendre"),
    CompanyKind.GEIQ: ("GEIQ des Métiers du Bois", "GEIQ Propreté", "GEIQ Bâtiment"),
    CompanyKind.EA: ("Atelier Adapté des Rives", "Façonnage Pour Tous"),
    CompanyKind.EATT: ("Relais Adapté Intérim",),
    CompanyKind.OPCS: ("Maison de la Clause Sociale",),
}  # fmt: skip
_NAF = {
    CompanyKind.ACI: ("8130Z", "8899B"),
    CompanyKind.AI: ("7820Z", "9609Z"),
    CompanyKind.EI: ("3811Z", "4339Z", "9601A"),
    CompanyKind.ETTI: ("7820Z",),
    CompanyKind.EITI: ("8299Z",),
    CompanyKind.GEIQ: ("7830Z",),
    CompanyKind.EA: ("8292Z",),
    CompanyKind.EATT: ("7820Z",),
    CompanyKind.OPCS: ("9499Z",),
}
_AUTHORIZED_KINDS = {
    PrescriberKind.FT: 22,
    PrescriberKind.ML: 18,
    PrescriberKind.CAP_EMPLOI: 10,
    PrescriberKind.DEPT: 12,
    PrescriberKind.CCAS: 12,
    PrescriberKind.PLIE: 8,
    PrescriberKind.ODC: 5,
    PrescriberKind.CHRS: 5,
    PrescriberKind.SPIP: 3,
    PrescriberKind.CIDFF: 3,
    PrescriberKind.ASE: 2,
}
_OTHER_KINDS = {PrescriberKind.ORIENTEUR: 6, PrescriberKind.OTHER: 3, PrescriberKind.E2C: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organizations:
    """Everything that exists before the first job seeker. Each list is in the order of the organisations' numbers."""

    users: list[UserRow]
    companies: list[CompanyRow]
    prescriber_organizations: list[PrescriberOrganizationRow]
    institutions: list[InstitutionRow]
    memberships: list[MembershipRow]
    partner_clients: list[PartnerClientRow]
    partner_client_companies: list[PartnerClientCompanyRow]

    def __post_init__(self) -> None:
        if any(row.number != index for index, row in enumerate(self.companies, start=1)):
            raise ValueError("companies: not in the order of their numbers")

    def members(self) -> dict[UUID, list[UUID]]:
        """Return the users of each organisation, the administrator first."""
        members: dict[UUID, list[UUID]] = {}
        for membership in self.memberships:
            organization_id = (
                membership.company_id or membership.prescriber_organization_id or membership.institution_id
            )
            if organization_id is not None and membership.ended_at is None:
                members.setdefault(organization_id, []).append(membership.user_id)
        return members


def build_organizations(calendar: Calendar) -> Organizations:
    companies = list(_companies(calendar))
    prescriber_organizations = list(_prescriber_organizations(calendar))
    institutions = list(_institutions(calendar))
    people = _People(calendar)
    for company in companies:
        people.add_members(
            UserKind.EMPLOYER, [well_known.employer_subject(company.number)], company_id=company.id, more=0.35
        )
    for number, organization in enumerate(prescriber_organizations, start=1):
        subject = well_known.prescriber_subject(number)
        people.add_members(UserKind.PRESCRIBER, [subject], prescriber_organization_id=organization.id, more=0.6)
    for institution in institutions:
        subject = well_known.labor_inspector_subject(institution.number)
        people.add_members(UserKind.LABOR_INSPECTOR, [subject], institution_id=institution.id, more=0.2)
    for number in range(1, _STAFF + 1):
        people.add_staff(number)
    partner_clients, partner_client_companies = _partners(calendar, companies)
    return Organizations(
        users=people.users,
        companies=companies,
        prescriber_organizations=prescriber_organizations,
        institutions=institutions,
        memberships=people.memberships,
        partner_clients=partner_clients,
        partner_client_companies=partner_client_companies,
    )


def _companies(calendar: Calendar) -> Iterator[CompanyRow]:
    dice = Dice("companies")
    for number in range(1, well_known.COMPANIES + 1):
        is_demo = number == well_known.DEMO_COMPANY
        commune = METZ if is_demo else dice.pick(COMMUNES)
        kind = CompanyKind.ACI if is_demo else dice.draw(_COMPANY_KINDS)
        created_at = calendar.office_hour(-dice.randint(_YOUNGEST_DAYS, _OLDEST_DAYS), dice)
        yield CompanyRow(
            id=demo_id("company", number),
            number=number,
            siret=well_known.company_siret(number),
            kind=kind,
            name=_numbered_name(dice.pick(_COMPANY_NAMES[kind]), commune),
            brand="Les Ateliers du Graoully" if is_demo else "",
            naf=dice.pick(_NAF[kind]),
            email=f"contact.{number}@exemple.test",
            phone=make_landline(number),
            asp_id=10_000 + number if kind in (CompanyKind.ACI, CompanyKind.AI, CompanyKind.EI) else None,
            # Two in five use RDV-Insertion.
            rdv_solidarites_id=2_000 + number if is_demo or dice.chance(0.4) else None,
            created_at=created_at,
            updated_at=created_at,
            **asdict(address_in(commune, dice, created_at)),
        )


def _numbered_name(name: str, commune: Commune) -> str:
    return f"{name} - {commune.name}"


def _prescriber_organizations(calendar: Calendar) -> Iterator[PrescriberOrganizationRow]:
    dice = Dice("prescriber organisations")
    for number in range(1, well_known.PRESCRIBER_ORGANIZATIONS + 1):
        is_known = number in (well_known.AUTHORIZED_ORGANIZATION, well_known.OTHER_ORGANIZATION)
        commune = METZ if is_known else dice.pick(COMMUNES)
        is_authorized = number == well_known.AUTHORIZED_ORGANIZATION or (not is_known and dice.chance(0.75))
        kind = _prescriber_kind(number, is_authorized, dice)
        yield PrescriberOrganizationRow(
            id=demo_id("prescriber_organization", number),
            number=5_000 + number,
            kind=kind,
            name=f"{kind.label} - {commune.name}",
            siret=well_known.prescriber_siret(number),
            is_authorized=is_authorized,
            is_brsa=kind is PrescriberKind.ODC,
            code_safir=f"{10_000 + number}" if kind is PrescriberKind.FT else None,
            department=commune.department,
            created_at=calendar.office_hour(-dice.randint(_YOUNGEST_DAYS, _OLDEST_DAYS), dice),
        )


def _prescriber_kind(number: int, is_authorized: bool, dice: Dice) -> PrescriberKind:
    if number == well_known.AUTHORIZED_ORGANIZATION:
        return PrescriberKind.ML
    return dice.draw(_AUTHORIZED_KINDS if is_authorized else _OTHER_KINDS)


def _institutions(calendar: Calendar) -> Iterator[InstitutionRow]:
    """The demo's own department first, then one body a department, then regional ones."""
    dice = Dice("institutions")
    others = sorted({commune.department for commune in COMMUNES} - {METZ.department})
    regions = sorted({DEPARTMENTS[department].region_code for department in others})
    for number in range(1, _INSTITUTIONS + 1):
        region = ""
        if number > _INSTITUTIONS - _REGIONAL_INSTITUTIONS:
            department, region = "", regions[number % len(regions)]
            kind, where = InstitutionKind.DREETS_IAE, REGIONS[region].name
        else:
            department = METZ.department if number == well_known.DEMO_INSTITUTION else others[number - 2]
            kind, where = InstitutionKind.DDETS_IAE, DEPARTMENTS[department].name
        yield InstitutionRow(
            id=demo_id("institution", number),
            number=number,
            kind=kind,
            name=f"{kind.value.removesuffix('_IAE')} - {where}",
            department=department,
            region=region,
            created_at=calendar.office_hour(-dice.randint(_YOUNGEST_DAYS, _OLDEST_DAYS), dice),
        )


class _People:
    """Collects the accounts of professionals and what they belong to."""

    def __init__(self, calendar: Calendar) -> None:
        self.users: list[UserRow] = []
        self.memberships: list[MembershipRow] = []
        self._calendar = calendar
        self._dice = Dice("professionals")

    def add_members(
        self,
        kind: UserKind,
        subjects: list[str],
        *,
        more: float,
        company_id: UUID | None = None,
        prescriber_organization_id: UUID | None = None,
        institution_id: UUID | None = None,
    ) -> None:
        """Add the administrator, and colleagues with the probability `more`, one of whom may have left."""
        while self._dice.chance(more) and len(subjects) < 4:
            subjects.append(f"{subjects[0]}-{len(subjects) + 1}")
        for position, subject in enumerate(subjects):
            user = self._add_user(kind, subject)
            has_left = position > 0 and self._dice.chance(0.1)
            self.memberships.append(
                MembershipRow(
                    id=demo_id("membership", subject),
                    user_id=user.id,
                    company_id=company_id,
                    prescriber_organization_id=prescriber_organization_id,
                    institution_id=institution_id,
                    is_admin=position == 0,
                    created_at=user.created_at,
                    ended_at=self._calendar.office_hour(-self._dice.randint(5, 200), self._dice) if has_left else None,
                )
            )

    def add_staff(self, number: int) -> None:
        user = self._add_user(UserKind.STAFF, well_known.staff_subject(number))
        user.is_operator = number <= 2
        user.is_observer = number == well_known.DEMO_OBSERVER
        user.may_read_full_nir = number == well_known.DEMO_STAFF

    def _add_user(self, kind: UserKind, subject: str) -> UserRow:
        dice = self._dice
        number = 10_000 + len(self.users)
        title = Title.MME if dice.chance(0.6) else Title.M
        first, last = first_name(title, dice), last_name(dice)
        created_at = self._calendar.office_hour(-dice.randint(300, 1400), dice)
        user = UserRow(
            id=demo_id("user", subject),
            kind=kind,
            subject=subject,
            title=title,
            first_name=first,
            last_name=last,
            email=make_email(first, last, number),
            phone=make_mobile(number),
            created_at=created_at,
            updated_at=created_at,
        )
        self.users.append(user)
        return user


def _partners(
    calendar: Calendar, companies: list[CompanyRow]
) -> tuple[list[PartnerClientRow], list[PartnerClientCompanyRow]]:
    dice = Dice("partners")
    with_appointments = [company for company in companies if company.rdv_solidarites_id is not None]
    clients: list[PartnerClientRow] = []
    links: list[PartnerClientCompanyRow] = []
    for number in range(1, _PARTNERS + 1):
        client = PartnerClientRow(
            id=demo_id("partner_client", number),
            subject=well_known.partner_subject(number),
            name=f"Logiciel de suivi {number}",
            scopes=[scope.value for scope in PartnerScope],
            created_at=calendar.office_hour(-200, dice),
            revoked_at=calendar.office_hour(-20, dice) if number == _PARTNERS else None,
        )
        clients.append(client)
        followed = with_appointments[(number - 1) * 6 : number * 6]
        links += [PartnerClientCompanyRow(partner_client_id=client.id, company_id=company.id) for company in followed]
    return clients, links
