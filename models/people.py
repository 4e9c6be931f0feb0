"""People: accounts, the profiles of job seekers, their consents and the certifications of their identity."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields

from models.base import Model, PostalAddressMixin, enum_field
from models.countries import FRANCE
from models.encryption import EncryptedTextField, key_ring
from models.enums import (
    CertificationAuthority,
    ConsentPurpose,
    LackOfFranceTravailIdReason,
    LackOfNirReason,
    Title,
    UserKind,
)

# What a certification by API Particulier proves, by where the value lives.
USER_CERTIFIED_FIELDS = frozenset({"first_name", "last_name", "title"})
PROFILE_CERTIFIED_FIELDS = frozenset({"birthdate", "birth_place", "birth_country"})


class User(Model):
    """Somebody with an account, or a job seeker that somebody else registered."""

    kind: UserKind = enum_field(UserKind)
    subject = fields.CharField(
        max_length=255, null=True, unique=True, description="`sub` of the identity provider; null: cannot sign in"
    )
    title: Title | None = enum_field(Title, null=True)
    first_name = fields.CharField(max_length=150, default="")
    last_name = fields.CharField(max_length=150, default="")
    email = fields.CharField(max_length=254, null=True)
    phone = fields.CharField(max_length=20, default="")
    is_active = fields.BooleanField(default=True)
    is_observer = fields.BooleanField(
        default=False, db_default=False, description="staff only: may look at operations, as operators may anyway"
    )
    is_operator = fields.BooleanField(default=False, description="staff only: may act on operations")
    may_read_full_nir = fields.BooleanField(default=False, description="staff only")
    created_at: datetime = fields.DatetimeField(auto_now_add=True)
    updated_at: datetime = fields.DatetimeField(auto_now=True)
    erased_at: datetime | None = fields.DatetimeField(
        null=True, description="everything that told who it is was deleted; the row is what kept approvals hang on"
    )

    job_seeker_profile: fields.BackwardOneToOneRelation[JobSeekerProfile]

    class Meta:
        table = "user"


class JobSeekerProfile(PostalAddressMixin, Model):
    """What the platform knows of a job seeker beyond the account. Its `id` is the user's: create it with both."""

    user: fields.OneToOneRelation[User] = fields.OneToOneField(
        "models.User", related_name="job_seeker_profile", on_delete=fields.CASCADE
    )
    user_id: UUID
    birthdate: date | None = fields.DateField(null=True)
    nir = EncryptedTextField(null=True, description="15 characters, sealed")
    nir_fingerprint = fields.CharField(max_length=64, null=True, unique=True)
    lack_of_nir_reason: LackOfNirReason | None = enum_field(LackOfNirReason, null=True)
    birth_place = fields.CharField(max_length=5, null=True, description="INSEE code of the commune, births in France")
    birth_country = fields.CharField(max_length=5, null=True, description="INSEE code of the country: 99100 is France")
    pole_emploi_id = fields.CharField(
        max_length=11, default="", description="France Travail id, as its holder knows it"
    )
    lack_of_pole_emploi_id_reason: LackOfFranceTravailIdReason | None = enum_field(
        LackOfFranceTravailIdReason, null=True
    )
    pe_obfuscated_nir = fields.CharField(max_length=48, null=True, description="id that France Travail gave")
    pe_last_certification_attempt_at: datetime | None = fields.DatetimeField(null=True)
    created_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", null=True, related_name="registered_profiles", on_delete=fields.SET_NULL
    )
    created_by_id: UUID | None
    created_by_prescriber_organization: fields.ForeignKeyNullableRelation = fields.ForeignKeyField(  # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType]
        "models.PrescriberOrganization", null=True, related_name="registered_profiles", on_delete=fields.SET_NULL
    )
    created_by_prescriber_organization_id: UUID | None

    identity_certifications: fields.ReverseRelation[IdentityCertification]

    class Meta:
        table = "job_seeker_profile"

    def set_nir(self, nir: str | None) -> None:
        """Set the NIR and what it is found by, together."""
        self.nir = nir  # pyright: ignore[reportAttributeAccessIssue]
        self.nir_fingerprint = key_ring().fingerprint(nir) if nir else None

    def readonly_pii_fields(self) -> frozenset[str]:
        """Return the names of the fields that a certification locks; `identity_certifications` must be fetched.

        Only API Particulier locks. A birth place that was never known stays open, or a required field could never be
        filled in; a birth abroad needs none.
        """
        return locked_fields(
            is_certified=any(
                certification.certifier is CertificationAuthority.API_PARTICULIER
                for certification in self.identity_certifications
            ),
            has_nir=self.nir_fingerprint is not None,
            has_france_travail_id=bool(self.pole_emploi_id),
            birth_country=self.birth_country,
            birth_place=self.birth_place,
        )


def locked_fields(
    *,
    is_certified: bool,
    has_nir: bool,
    has_france_travail_id: bool,
    birth_country: str | None,
    birth_place: str | None,
) -> frozenset[str]:
    """Return the fields that nobody may edit any more. `is_certified`: by API Particulier, the only one that locks."""
    if not is_certified:
        return frozenset()
    locked = set(USER_CERTIFIED_FIELDS | PROFILE_CERTIFIED_FIELDS)
    if has_nir:
        locked.add("nir")
    if has_france_travail_id:
        locked.add("pole_emploi_id")
    if not birth_country or (birth_country == FRANCE and not birth_place):
        locked -= {"birth_country", "birth_place"}
    return frozenset(locked)


class Consent(Model):
    """A job seeker agreed to something; withdrawn or not, the row stays as the proof."""

    job_seeker: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="consents", on_delete=fields.CASCADE
    )
    job_seeker_id: UUID
    purpose: ConsentPurpose = enum_field(ConsentPurpose)
    text_version = fields.CharField(max_length=32, description="version of the text that was agreed to")
    given_at: datetime = fields.DatetimeField()
    given_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", null=True, related_name="recorded_consents", on_delete=fields.SET_NULL
    )
    given_by_id: UUID | None
    withdrawn_at: datetime | None = fields.DatetimeField(null=True)
    withdrawn_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", null=True, related_name="withdrawn_consents", on_delete=fields.SET_NULL
    )
    withdrawn_by_id: UUID | None

    class Meta:
        table = "consent"


class IdentityCertification(Model):
    """An authority recognised the person. One row a person and certifier: a later success only moves the date."""

    jobseeker_profile: fields.ForeignKeyRelation[JobSeekerProfile] = fields.ForeignKeyField(
        "models.JobSeekerProfile", related_name="identity_certifications", on_delete=fields.CASCADE
    )
    jobseeker_profile_id: UUID
    certifier: CertificationAuthority = enum_field(CertificationAuthority)
    certified_at: datetime = fields.DatetimeField()

    class Meta:
        table = "identity_certification"
