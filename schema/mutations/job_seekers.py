"""Job seekers: what may be corrected of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeVar

import strawberry

from models.enums import CertificationAuthority, Title
from resolvers.entities.people import JOB_SEEKER
from resolvers.global_ids import decode_as
from resolvers.loaders import rows_by
from resolvers.selection import selection_of
from resolvers.viewer import Permission
from schema.enums import ProfileField
from schema.errors import ErrorCode, FieldLocked, InvalidInput, NotFound, not_found
from schema.info import Info
from schema.mutations.outcomes import invalid_input
from schema.mutations.rights import may, sees_job_seeker
from schema.types.people import JobSeeker
from services.job_seekers import (
    UNCHANGED,
    AddressChange,
    JobSeekerChanges,
    Locked,
    Unchanged,
    Updated,
    update_job_seeker,
)
from services.outcomes import Invalid

T = TypeVar("T")

GEOCODE_JOB_SEEKER = "geocode_job_seeker"

UpdateJobSeekerResult = Annotated[
    JobSeeker | InvalidInput | FieldLocked | NotFound, strawberry.union("UpdateJobSeekerResult")
]


@strawberry.input
class PostalAddressInput:
    line1: str
    line2: str | None = None
    post_code: str
    city: str


@strawberry.input(description="What is left out stays as it is; null empties a field that may be empty.")
class UpdateJobSeekerInput:
    id: strawberry.ID
    title: Title | None = strawberry.UNSET
    first_name: str | None = strawberry.UNSET
    last_name: str | None = strawberry.UNSET
    email: str | None = strawberry.UNSET
    phone: str | None = strawberry.UNSET
    birthdate: date | None = strawberry.UNSET
    nir: str | None = strawberry.UNSET
    birth_place_insee_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="the commune as it was on the birthdate; births in France only"
    )
    birth_country_insee_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="99100 is France; another country empties the place of birth"
    )
    france_travail_id: str | None = strawberry.UNSET
    address: PostalAddressInput | None = strawberry.UNSET


@strawberry.type
class JobSeekerMutations:
    @strawberry.mutation(description="Correct what is known of a job seeker: all of it, or nothing and every problem.")
    async def update_job_seeker(self, info: Info, input: UpdateJobSeekerInput) -> UpdateJobSeekerResult:
        context = may(info, Permission.EDIT_JOB_SEEKERS)
        key = decode_as(input.id, "JobSeeker")
        if not await sees_job_seeker(context, key):
            return not_found()
        outcome = await update_job_seeker(key, _changes(input), edited_by=context.viewer.user_id, now=context.now)
        match outcome:
            case Invalid():
                return invalid_input(outcome)
            case Locked(fields):
                return _locked(fields)
            case Updated(fields):
                if "address" in fields:
                    await context.resources.ring(GEOCODE_JOB_SEEKER, key)
                selection = selection_of(info.raw, "JobSeeker")
                rows = await rows_by(context, JOB_SEEKER, selection, "{t}.id = :key", {"key": key})
                return rows[0] if rows else not_found()
            case _:
                return not_found()


def _changes(given: UpdateJobSeekerInput) -> JobSeekerChanges:
    address = given.address
    return JobSeekerChanges(
        title=_changed(given.title),
        first_name=_changed(given.first_name),
        last_name=_changed(given.last_name),
        email=_changed(given.email),
        phone=_changed(given.phone),
        birthdate=_changed(given.birthdate),
        nir=_changed(given.nir),
        birth_place=_changed(given.birth_place_insee_code),
        birth_country=_changed(given.birth_country_insee_code),
        pole_emploi_id=_changed(given.france_travail_id),
        address=_changed(
            AddressChange(line1=address.line1, line2=address.line2, post_code=address.post_code, city=address.city)
            if isinstance(address, PostalAddressInput)
            else address
        ),
    )


def _changed(value: T) -> T | Unchanged:
    return UNCHANGED if value is strawberry.UNSET else value


def _locked(fields: frozenset[str]) -> FieldLocked:
    authority = CertificationAuthority.API_PARTICULIER
    return FieldLocked(
        message=f"Ces données ont été certifiées par {authority.label} et ne peuvent plus être modifiées.",
        code=ErrorCode.FIELD_LOCKED,
        fields=[field for field in ProfileField if field.value in fields],
        certified_by=authority,
    )
