"""Job seekers: who they are, what is known of them, and what they agreed to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from demo.cast import well_known
from demo.cast.dice import Calendar, Dice
from demo.cast.identifiers import demo_id, make_email, make_mobile, make_nir
from demo.cast.names import first_name, last_name
from demo.cast.organizations import Organizations
from demo.cast.places import COMMUNES, COUNTRIES_OF_BIRTH, METZ, address_in
from demo.cast.rows import ConsentRow, IdentityCertificationRow, JobSeekerProfileRow, UserRow
from demo.cast.world import SimulatedWorld
from models.enums import (
    CertificationAuthority,
    ConsentPurpose,
    LackOfFranceTravailIdReason,
    LackOfNirReason,
    Title,
    UserKind,
)
from models.people import FRANCE

JOB_SEEKERS = 5_200
_CONSENT_TEXT = "2026-01"
# Fixed, unlike all other days: a NIR tells the birthdate, and both must be the same at each fresh start.
_FIRST_BIRTHDATE = date(1963, 1, 1)
_BIRTHDATES = 15_700
_NEVER_SEARCHED = 40


@dataclass(slots=True, kw_only=True)
class JobSeeker:
    """A person with both rows. `registrar_id`: the prescriber who registered them, with `organization_id`."""

    number: int
    user: UserRow
    profile: JobSeekerProfileRow
    registrar_id: UUID | None
    organization_id: UUID | None

    @property
    def id(self) -> UUID:
        return self.user.id

    @property
    def is_complete(self) -> bool:
        """Whether France Travail could be asked about them."""
        return self.profile.nir is not None and self.profile.birthdate is not None

    @property
    def is_known_to_france_travail(self) -> bool:
        return self.profile.pe_obfuscated_nir is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    job_seekers: list[JobSeeker]
    consents: list[ConsentRow]
    certifications: list[IdentityCertificationRow]


def build_people(calendar: Calendar, organizations: Organizations, world: SimulatedWorld) -> People:
    job_seekers = list(_job_seekers(calendar, organizations, world))
    consents = list(_consents(job_seekers, calendar))
    return People(
        job_seekers=job_seekers,
        consents=consents,
        certifications=[*_certifications(job_seekers, consents, calendar)],
    )


def make_job_seeker(
    number: int,
    calendar: Calendar,
    dice: Dice,
    *,
    organization_id: UUID | None = None,
    registrar_id: UUID | None = None,
) -> JobSeeker:
    """Invent a person whom France Travail was never asked about. `number` makes them somebody else."""
    user = _user(number, calendar, dice)
    profile = _profile(number, user, dice)
    profile.created_by_id = registrar_id
    profile.created_by_prescriber_organization_id = organization_id
    return JobSeeker(
        number=number, user=user, profile=profile, registrar_id=registrar_id, organization_id=organization_id
    )


def make_known(job_seeker: JobSeeker, world: SimulatedWorld, found_at: datetime) -> None:
    """Give the identifier that France Travail has for the person's NIR; without a NIR there is none."""
    profile = job_seeker.profile
    if profile.nir is not None:
        profile.pe_obfuscated_nir = world.id_national_of(profile.nir[:13])
        profile.pe_last_certification_attempt_at = found_at


def leave_unsearched(people: People, hired_ids: set[UUID]) -> None:
    """Let the certification cron find somebody at its first run; all others were searched within its seven days.

    Nobody with a PASS IAE: a refused one would come back to life in the middle of the play.
    """
    candidates = (
        job_seeker
        for job_seeker in people.job_seekers
        if job_seeker.is_complete and not job_seeker.is_known_to_france_travail and job_seeker.id not in hired_ids
    )
    for job_seeker in islice(candidates, _NEVER_SEARCHED):
        job_seeker.profile.pe_last_certification_attempt_at = None


def _job_seekers(calendar: Calendar, organizations: Organizations, world: SimulatedWorld) -> Iterator[JobSeeker]:
    dice = Dice("job seekers")
    members = organizations.members()
    authorized = [row.id for row in organizations.prescriber_organizations if row.is_authorized]
    for number in range(JOB_SEEKERS):
        is_demo = number == well_known.DEMO_JOB_SEEKER
        organization_id: UUID | None = None
        if is_demo or dice.chance(0.5):
            # One in nine by the demo's organisation, so that its page is full.
            organization_id = authorized[0] if is_demo or dice.chance(0.11) else dice.pick(authorized)
        registrar_id = dice.pick(members[organization_id]) if organization_id else None
        job_seeker = make_job_seeker(number, calendar, dice, organization_id=organization_id, registrar_id=registrar_id)
        if job_seeker.is_complete:
            if is_demo or dice.chance(0.93):
                make_known(job_seeker, world, calendar.office_hour(-dice.randint(1, 39), dice))
            else:
                searched_at = calendar.office_hour(-dice.randint(1, 3), dice)
                job_seeker.profile.pe_last_certification_attempt_at = searched_at
        yield job_seeker


def _user(number: int, calendar: Calendar, dice: Dice) -> UserRow:
    is_demo = number == well_known.DEMO_JOB_SEEKER
    title = Title.MME if is_demo or dice.chance(0.48) else Title.M
    first, last = first_name(title, dice), last_name(dice)
    created_at = calendar.office_hour(-dice.randint(40, 1200), dice)
    can_sign_in = is_demo or dice.chance(0.15)
    return UserRow(
        id=demo_id("job_seeker", number),
        kind=UserKind.JOB_SEEKER,
        subject=well_known.job_seeker_subject(number) if can_sign_in else None,
        title=title,
        first_name=first,
        last_name=last,
        email=make_email(first, last, number) if can_sign_in or dice.chance(0.8) else None,
        phone=make_mobile(number) if dice.chance(0.9) else "",
        created_at=created_at,
        updated_at=created_at,
    )


def _profile(number: int, user: UserRow, dice: Dice) -> JobSeekerProfileRow:
    is_demo = number == well_known.DEMO_JOB_SEEKER
    commune = METZ if is_demo else dice.pick(COMMUNES)
    birthdate: date | None = _FIRST_BIRTHDATE + timedelta(days=dice.randrange(_BIRTHDATES))
    born_in = commune if dice.chance(0.6) else dice.pick(COMMUNES)
    is_born_abroad = not is_demo and dice.chance(0.22)
    nir: str | None = None
    lack_of_nir_reason: LackOfNirReason | None = None
    if is_demo or dice.chance(0.95):
        nir = make_nir(user.title, birthdate, None if is_born_abroad else born_in.department, number)
    elif dice.chance(0.7):
        lack_of_nir_reason = LackOfNirReason.NO_NIR if dice.chance(0.8) else LackOfNirReason.NIR_ASSOCIATED_TO_OTHER
    if not is_demo and dice.chance(0.01):
        birthdate = None
    france_travail_id, lack_of_france_travail_id_reason = _france_travail_id(number, dice)
    return JobSeekerProfileRow(
        id=user.id,
        user_id=user.id,
        birthdate=birthdate,
        nir=nir,
        lack_of_nir_reason=lack_of_nir_reason,
        birth_place=None if is_born_abroad else born_in.insee_code,
        birth_country=dice.pick(COUNTRIES_OF_BIRTH) if is_born_abroad else FRANCE,
        pole_emploi_id=france_travail_id,
        lack_of_pole_emploi_id_reason=lack_of_france_travail_id_reason,
        pe_obfuscated_nir=None,
        pe_last_certification_attempt_at=None,
        created_by_id=None,
        created_by_prescriber_organization_id=None,
        **asdict(address_in(commune, dice, user.created_at + timedelta(minutes=1))),
    )


def _france_travail_id(number: int, dice: Dice) -> tuple[str, LackOfFranceTravailIdReason | None]:
    """Both forms are in use: seven digits and a letter, and since 2024 eleven digits."""
    if dice.chance(0.6):
        return f"{3_000_000 + number}{dice.pick('ABCDEFGHJKLMNPRSTUVWXYZ')}", None
    if dice.chance(0.5):
        return f"{70_000_000_000 + number}", None
    is_forgotten = dice.chance(0.5)
    return "", LackOfFranceTravailIdReason.FORGOTTEN if is_forgotten else LackOfFranceTravailIdReason.NOT_REGISTERED


def _consents(job_seekers: list[JobSeeker], calendar: Calendar) -> Iterator[ConsentRow]:
    dice = Dice("consents")
    for job_seeker in job_seekers:
        is_demo = job_seeker.number == well_known.DEMO_JOB_SEEKER
        if not is_demo and not dice.chance(0.3):
            continue
        given_at = calendar.office_hour(-dice.randint(12, 39), dice)
        is_withdrawn = not is_demo and dice.chance(0.06)
        yield ConsentRow(
            id=demo_id("consent", job_seeker.number),
            job_seeker_id=job_seeker.id,
            purpose=ConsentPurpose.IDENTITY_CERTIFICATION,
            text_version=_CONSENT_TEXT,
            given_at=given_at,
            given_by_id=job_seeker.registrar_id or job_seeker.id,
            withdrawn_at=calendar.office_hour(-dice.randint(1, 9), dice) if is_withdrawn else None,
            withdrawn_by_id=job_seeker.id if is_withdrawn else None,
        )


def _certifications(
    job_seekers: list[JobSeeker], consents: list[ConsentRow], calendar: Calendar
) -> Iterator[IdentityCertificationRow]:
    dice = Dice("certifications")
    consented = {consent.job_seeker_id for consent in consents}
    for job_seeker in job_seekers:
        is_demo = job_seeker.number == well_known.DEMO_JOB_SEEKER
        if job_seeker.profile.pe_last_certification_attempt_at and job_seeker.is_known_to_france_travail:
            yield IdentityCertificationRow(
                id=demo_id("certification", f"france-travail-{job_seeker.number}"),
                jobseeker_profile_id=job_seeker.id,
                certifier=CertificationAuthority.FRANCE_TRAVAIL,
                certified_at=job_seeker.profile.pe_last_certification_attempt_at,
            )
        if job_seeker.id in consented and job_seeker.is_complete and (is_demo or dice.chance(0.6)):
            yield IdentityCertificationRow(
                id=demo_id("certification", f"api-particulier-{job_seeker.number}"),
                jobseeker_profile_id=job_seeker.id,
                certifier=CertificationAuthority.API_PARTICULIER,
                certified_at=calendar.office_hour(-dice.randint(10, 11), dice),
            )
