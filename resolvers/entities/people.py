"""Job seekers and users as they lie in the database."""

from __future__ import annotations

from typing import Any

from models.countries import country_of
from models.encryption import key_ring
from models.enums import Title, UserKind
from resolvers.entities.addresses import address
from resolvers.entities.orderings import NEWEST_APPLICATION, NEWEST_APPROVAL, NEWEST_SURVEY, PARTICIPATION_BY_START
from resolvers.entities.values import or_none
from resolvers.sources import Children, Column, Computed, Entity, OnDemand, ToOne

JOB_SEEKER = Entity(
    "JobSeeker",
    "user",
    joins={"profile": "LEFT JOIN job_seeker_profile {profile} ON {profile}.id = {t}.id"},
    fields={
        "firstName": Column("{t}.first_name"),
        "lastName": Column("{t}.last_name"),
        "title": Column("{t}.title", Title),
        "email": Column("{t}.email"),
        "phone": Column("{t}.phone", or_none),
        "birthdate": Column("{profile}.birthdate"),
        "birthPlace": OnDemand(("birth_place_code",)),
        "birthCountry": Column("{profile}.birth_country", country_of),
        "nir": OnDemand(("sealed_nir", "may_read_full_nir")),
        "franceTravailId": Column("{profile}.pole_emploi_id", or_none),
        "address": address("{profile}"),
        "isCertified": Column("EXISTS (SELECT 1 FROM identity_certification v WHERE v.jobseeker_profile_id = {t}.id)"),
        "identityCertifications": OnDemand(("certification_rows",)),
        "readonlyFields": OnDemand(("lock_columns",)),
        "consents": OnDemand(("consent_rows",)),
        "currentApproval": ToOne(
            "Approval",
            "{other}.job_seeker_id = {t}.id AND {other}.cancelled_at IS NULL"
            " AND {other}.start_at <= :today AND {other}.end_at >= :today",
        ),
        "approvals": OnDemand(),
        "jobApplications": OnDemand(),
        "participations": OnDemand(),
        "surveys": OnDemand(),
    },
    private={
        "birth_place_code": Column("{profile}.birth_place"),
        "address_insee_code": Column("{profile}.insee_code"),
        "sealed_nir": Column("{profile}.nir"),
        # An employer reads a whole NIR only of whom they hired.
        "may_read_full_nir": Column(
            "{t}.id = :viewer_id OR :viewer_is_employer AND EXISTS"
            " (SELECT 1 FROM job_application v WHERE v.job_seeker_id = {t}.id"
            " AND v.company_id = :organization_id AND v.state = 'accepted')"
        ),
        "certification_rows": Column(
            "ARRAY(SELECT (v.certifier, v.certified_at) FROM identity_certification v"
            " WHERE v.jobseeker_profile_id = {t}.id ORDER BY v.certified_at, v.certifier)"
        ),
        "lock_columns": Computed(
            (
                "EXISTS (SELECT 1 FROM identity_certification v WHERE v.jobseeker_profile_id = {t}.id"
                " AND v.certifier = 'api_particulier')",
                "{profile}.nir_fingerprint IS NOT NULL",
                "{profile}.pole_emploi_id",
                "{profile}.birth_country",
                "{profile}.birth_place",
            ),
            lambda *values: values,
        ),
        "consent_rows": Column(
            "ARRAY(SELECT (v.purpose, v.given_at, v.withdrawn_at) FROM consent v"
            " WHERE v.job_seeker_id = {t}.id ORDER BY v.given_at)"
        ),
    },
    children={
        "approvals": Children("Approval", "{t}.job_seeker_id = {parent}", NEWEST_APPROVAL),
        "jobApplications": Children("JobApplication", "{t}.job_seeker_id = {parent}", NEWEST_APPLICATION),
        "participations": Children("Participation", "{t}.job_seeker_id = {parent}", PARTICIPATION_BY_START),
        "surveys": Children(
            "Survey",
            "EXISTS (SELECT 1 FROM job_application s WHERE s.id = {t}.job_application_id"
            " AND s.job_seeker_id = {parent})",
            NEWEST_SURVEY,
        ),
    },
)


USER = Entity(
    "User",
    "user",
    fields={
        "kind": Column("{t}.kind", UserKind),
        "firstName": Column("{t}.first_name"),
        "lastName": Column("{t}.last_name"),
        "email": Column("{t}.email", lambda email: email),
    },
)


def open_nir(sealed: Any) -> str | None:
    """Return the NIR that a sealed column holds."""
    return key_ring().open(bytes(sealed)) if sealed is not None else None
