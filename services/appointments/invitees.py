"""Whom an employer wants to see, as the platform knows them, and whether that is enough for RDV-Insertion."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from clients.rdv_insertion import Invitee, Title
from models.database import fetch_all
from models.enums import Title as Civility
from services.outcomes import FieldProblem, Invalid

_READ = """
SELECT application.job_seeker_id, application.company_id, company.rdv_solidarites_id AS organisation_id,
    person.first_name, person.last_name, person.title, person.email, person.phone, profile.birthdate,
    profile.address_line_1, profile.address_line_2, profile.post_code, profile.city
FROM job_application application
JOIN company ON company.id = application.company_id
JOIN "user" person ON person.id = application.job_seeker_id
LEFT JOIN job_seeker_profile profile ON profile.id = person.id
WHERE application.id = $1
"""
_TITLES = {Civility.M: Title.MONSIEUR, Civility.MME: Title.MADAME}
# The application stands for the person in the input; from there on the path is that of the field.
_PERSON = ("jobApplicationId", "jobSeeker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The person of an application, and the company that it is addressed to. Without `organisation_id`, not linked."""

    job_seeker_id: UUID
    company_id: UUID
    organisation_id: int | None
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    title: Civility | None = field(repr=False)
    email: str = field(repr=False)
    phone: str = field(repr=False)
    birthdate: date | None = field(repr=False)
    address: str | None = field(repr=False)

    def invitee(self) -> Invitee | Invalid:
        """What RDV-Insertion is told, or everything that is missing for that."""
        problems = self._problems()
        if problems or self.title is None:
            return Invalid(problems)
        return Invitee(
            first_name=self.first_name,
            last_name=self.last_name,
            title=_TITLES[self.title],
            email=self.email,
            phone_number=self.phone,
            birth_date=self.birthdate,
            address=self.address,
        )

    def _problems(self) -> tuple[FieldProblem, ...]:
        has_contact = bool(self.email or self.phone)
        checks = (
            ("firstName", bool(self.first_name), "Le prénom du candidat est à renseigner avant de l'inviter."),
            ("lastName", bool(self.last_name), "Le nom du candidat est à renseigner avant de l'inviter."),
            ("title", self.title is not None, "La civilité du candidat est à renseigner avant de l'inviter."),
            ("email", has_contact, "Sans adresse e-mail ni téléphone, le candidat ne peut être invité."),
            ("phone", has_contact, "Sans téléphone ni adresse e-mail, le candidat ne peut être invité."),
        )
        return tuple(FieldProblem((*_PERSON, name), message) for name, is_there, message in checks if not is_there)


async def read_candidate(job_application_id: UUID) -> Candidate | None:
    """One statement. None: there is no such application."""
    rows = await fetch_all(_READ, job_application_id)
    if not rows:
        return None
    row = rows[0]
    return Candidate(
        job_seeker_id=row["job_seeker_id"],
        company_id=row["company_id"],
        organisation_id=row["organisation_id"],
        first_name=row["first_name"].strip(),
        last_name=row["last_name"].strip(),
        title=Civility(row["title"]) if row["title"] else None,
        email=(row["email"] or "").strip(),
        phone=row["phone"].strip(),
        birthdate=row["birthdate"],
        address=_one_line(row["address_line_1"], row["address_line_2"], row["post_code"], row["city"]),
    )


def _one_line(line_1: str | None, line_2: str | None, post_code: str | None, city: str | None) -> str | None:
    """RDV-Insertion geocodes the line: half an address would lead it somewhere else."""
    if not (line_1 and post_code and city):
        return None
    street = f"{line_1}, {line_2}" if line_2 else line_1
    return f"{street}, {post_code} {city}"
