"""Change a job seeker: every problem at once, nothing that is certified, all in one transaction.

Whether the editor may edit this person at all is decided before; here are the rules that hold for everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from tortoise.exceptions import IntegrityError

from models import IdentityCertification, JobSeekerProfile, User
from models.countries import FRANCE
from models.database import fetch_all, run_in_transaction
from models.departments import department_code_of
from models.encryption import key_ring
from models.enums import CertificationAuthority, UserKind
from models.identifiers import nir_contradictions
from models.people import locked_fields
from services.certification import ask_again
from services.clock import paris_day
from services.job_seekers import parsing
from services.job_seekers.changes import INPUT_NAMES, UNCHANGED, AddressChange, JobSeekerChanges
from services.job_seekers.parsing import Refused
from services.outcomes import FieldProblem, Invalid, NotFound

log = structlog.get_logger(__name__)

_ACCOUNT_FIELDS = frozenset({"title", "first_name", "last_name", "email", "phone"})
# What API Particulier is asked with: somebody whom it did not recognise may be recognised after such a change.
_CIVIL_STATUS = frozenset({"title", "first_name", "last_name", "birthdate", "birth_place", "birth_country"})
_EMAIL_IS_TAKEN = 'SELECT 1 FROM "user" WHERE lower(email) = lower($1) AND id <> $2'
_NIR_IS_TAKEN = "SELECT 1 FROM job_seeker_profile WHERE nir_fingerprint = $1 AND id <> $2"
_TAKEN = {
    "email": "Cette adresse e-mail est déjà utilisée par un autre compte.",
    "nir": "Ce numéro de sécurité sociale est déjà associé à un autre compte.",
}
_UNIQUE = {"user_email_unique": "email", "job_seeker_profile_nir_fingerprint_key": "nir"}


@dataclass(frozen=True, slots=True)
class Updated:
    """Done. `fields`: what really changed, by the models' names."""

    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Locked:
    """Nothing was saved: these fields were certified by API Particulier, and would have changed."""

    fields: frozenset[str]


UpdateOutcome = Updated | Locked | Invalid | NotFound


async def update_job_seeker(
    job_seeker_id: UUID, changes: JobSeekerChanges, *, edited_by: UUID | None, now: datetime
) -> UpdateOutcome:
    """Change what differs from what is stored. A value that is stored already is accepted as it is, locked or not."""

    async def update() -> UpdateOutcome:
        # The account first, the profile second, as everybody who changes an identity.
        account = (
            await User.filter(id=job_seeker_id, kind=UserKind.JOB_SEEKER, erased_at=None).select_for_update().first()
        )
        if account is None:
            return NotFound()
        profile = await JobSeekerProfile.filter(user_id=job_seeker_id).select_for_update().first()
        is_new = profile is None
        editing = _Editing(
            account, profile or JobSeekerProfile(id=job_seeker_id, user_id=job_seeker_id), today=paris_day(now)
        )
        editing.read(changes)
        if locked := editing.wanted & await _locked(editing.profile):
            return Locked(locked)
        editing.check_together(is_self=edited_by == job_seeker_id)
        await editing.check_uniqueness()
        if editing.problems:
            return Invalid(tuple(editing.problems))
        if is_new:
            await editing.profile.save(force_create=True)
        await _store(editing)
        if _CIVIL_STATUS & editing.changed.keys():
            await ask_again(job_seeker_id, now=now)
        return Updated(frozenset(editing.changed))

    try:
        outcome = await run_in_transaction(update)
    except IntegrityError as error:
        # Somebody else took the address or the number since it was looked up.
        for constraint, name in _UNIQUE.items():
            if constraint in str(error):
                return Invalid((_problem(name, _TAKEN[name]),))
        raise
    if isinstance(outcome, Updated) and outcome.fields:
        editor = None if edited_by is None else str(edited_by)
        log.info("job_seeker_updated", job_seeker_id=str(job_seeker_id), fields=sorted(outcome.fields), by=editor)
    return outcome


class _Editing:
    """One person's rows, what is wanted of them, and what is wrong with that."""

    def __init__(self, account: User, profile: JobSeekerProfile, *, today: date) -> None:
        self.account, self.profile = account, profile
        self.wanted: frozenset[str] = frozenset()
        self.changed: dict[str, Any] = {}
        self.problems: list[FieldProblem] = []
        self._parsers: Mapping[str, Callable[[Any], Any]] = {
            "title": lambda title: title,
            "first_name": parsing.parse_name,
            "last_name": parsing.parse_name,
            "email": parsing.parse_email,
            "phone": parsing.parse_phone,
            "birthdate": lambda birthdate: parsing.parse_birthdate(birthdate, today=today),
            "nir": parsing.parse_typed_nir,
            "birth_place": parsing.parse_birth_place,
            "birth_country": parsing.parse_birth_country,
            "pole_emploi_id": parsing.parse_france_travail_id,
            "address": parsing.parse_address,
        }

    def read(self, changes: JobSeekerChanges) -> None:
        """Parse each field that was mentioned; keep what differs, and what is wrong."""
        for field in fields(changes):
            name, typed = field.name, getattr(changes, field.name)
            if typed is UNCHANGED or typed == self._stored(name):
                continue
            try:
                value = self._parsers[name](typed)
            except Refused as refused:
                self.problems += [
                    _problem(name, message, *([part] if part else [])) for part, message in refused.problems.items()
                ]
                self.wanted |= {name}
                continue
            if value != self._stored(name):
                self.changed[name] = value
                self.wanted |= {name}

    def check_together(self, *, is_self: bool) -> None:
        """What is wrong with the fields beside each other."""
        self._check_nir()
        self._check_birth()
        if "email" in self.changed and self.account.subject is not None and not is_self:
            self._refuse("email", "Cette personne a son propre accès : elle seule peut modifier son adresse e-mail.")

    async def check_uniqueness(self) -> None:
        nir, email, person = self.changed.get("nir"), self.changed.get("email"), self.account.id
        if nir and await fetch_all(_NIR_IS_TAKEN, key_ring().fingerprint(nir), person):
            self._refuse("nir", _TAKEN["nir"])
        if email and await fetch_all(_EMAIL_IS_TAKEN, email, person):
            self._refuse("email", _TAKEN["email"])

    def _stored(self, name: str) -> Any:
        if name != "address":
            return getattr(self.account if name in _ACCOUNT_FIELDS else self.profile, name)
        profile = self.profile
        parts = (profile.address_line_1, profile.address_line_2, profile.post_code, profile.city)
        if not any(parts):
            return None
        return AddressChange(line1=parts[0], line2=parts[1], post_code=parts[2], city=parts[3])

    def _resulting(self, name: str) -> Any:
        return self.changed[name] if name in self.changed else self._stored(name)

    def _check_nir(self) -> None:
        nir = self._resulting("nir")
        if not nir:
            return
        for name in ("title", "birthdate"):
            if self.changed.keys() & {"nir", name}:
                told = {"title": None, "birthdate": None} | {name: self._resulting(name)}
                for contradiction in nir_contradictions(nir, title=told["title"], birthdate=told["birthdate"]):
                    self._refuse("nir" if "nir" in self.changed else name, contradiction)

    def _check_birth(self) -> None:
        """A commune goes with a birth in France, and with no other."""
        if not self.wanted & {"birth_place", "birth_country"}:
            return
        if any(problem.path[0] in _BIRTH_INPUTS for problem in self.problems):
            return
        country, place = self._resulting("birth_country"), self._resulting("birth_place")
        if country == FRANCE and not place:
            self._refuse("birth_place", "La commune est à renseigner pour une naissance en France.")
        elif country != FRANCE and place and "birth_place" not in self.changed:
            self.changed["birth_place"] = None  # the commune belonged to the country that is replaced
        elif country is None and place:
            self._refuse("birth_country", "Le pays est à renseigner avec la commune de naissance : 99100, la France.")
        elif country != FRANCE and place:
            self._refuse("birth_place", "La commune ne se renseigne que pour une naissance en France.")

    def _refuse(self, name: str, message: str) -> None:
        self.problems.append(_problem(name, message))


_BIRTH_INPUTS = frozenset({INPUT_NAMES["birth_place"], INPUT_NAMES["birth_country"]})


async def _locked(profile: JobSeekerProfile) -> frozenset[str]:
    is_certified = await IdentityCertification.filter(
        jobseeker_profile_id=profile.id, certifier=CertificationAuthority.API_PARTICULIER
    ).exists()
    return locked_fields(
        is_certified=is_certified,
        has_nir=profile.nir_fingerprint is not None,
        has_france_travail_id=bool(profile.pole_emploi_id),
        birth_country=profile.birth_country,
        birth_place=profile.birth_place,
    )


async def _store(editing: _Editing) -> None:
    account = {name: value for name, value in editing.changed.items() if name in _ACCOUNT_FIELDS}
    profile: dict[str, Any] = {}
    for name, value in editing.changed.items():
        if name not in _ACCOUNT_FIELDS:
            profile |= _columns(name, value)
    if account:
        await User.filter(id=editing.account.id).update(**account)
    if profile:
        await JobSeekerProfile.filter(id=editing.profile.id).update(**profile)


def _columns(name: str, value: Any) -> dict[str, Any]:
    """What a field writes. A number that is known now needs no reason for its lack any more."""
    match name:
        case "nir":
            fingerprint = key_ring().fingerprint(value) if value else None
            reason = {"lack_of_nir_reason": None} if value else {}
            return {"nir": value, "nir_fingerprint": fingerprint, **reason}
        case "pole_emploi_id":
            return {name: value, **({"lack_of_pole_emploi_id_reason": None} if value else {})}
        case "address":
            return _address_columns(value)
        case _:
            return {name: value}


def _address_columns(address: AddressChange | None) -> dict[str, Any]:
    """The database itself makes a new address due for geocoding; of none, nothing is known any more."""
    if address is not None:
        return {
            "address_line_1": address.line1,
            "address_line_2": address.line2 or "",
            "post_code": address.post_code,
            "city": address.city,
            "department": department_code_of(post_code=address.post_code) or "",
        }
    texts = ("address_line_1", "address_line_2", "post_code", "city", "department", "insee_code")
    places = ("latitude", "longitude", "geocoding_score", "geocoded_at", "geocoding_due_at")
    return {**dict.fromkeys(texts, ""), **dict.fromkeys(places, None)}


def _problem(name: str, message: str, *path: str) -> FieldProblem:
    return FieldProblem((INPUT_NAMES[name], *path), message)
