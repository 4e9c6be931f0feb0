"""Who may see what: the table, written by hand from the access rules of the platform, and from nothing else.

Three parts. VISIBLE: which rows of the world (tests/security/world.py) each kind of viewer sees; what is not named is
out of sight. FIELDS: which fields of a row in sight they read; a field of the schema that is not named here fails the
tests by its name. ROOTS: what the root fields answer to whom.

Rules, in short. A job seeker: themself. An employer: the company, the applications sent to it, the people behind
these with their approvals, and appointments, participations and invitations with this company only. An authorised
prescriber: whom the organisation registered or sent, their approvals and participations, the applications it sent. One
that is not authorised: what they sent themself; of approvals the number and dates. A labor inspector: companies of the
department. A partner: appointments and participations of its companies, by its scopes; of people, id and name. Staff:
everything, the attempts of notifications and the inbox of webhooks with OPERATE only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# -- viewers

ANONYMOUS = "ANONYMOUS"
JOB_SEEKER = "JOB_SEEKER"
EMPLOYER = "EMPLOYER"
AUTHORIZED = "AUTHORIZED_PRESCRIBER"
PRESCRIBERS = ("PRESCRIBER", "PRESCRIBER_OF_NOTHING")
INSPECTOR = "LABOR_INSPECTOR"
PARTNERS = ("PARTNER", "PARTNER_OF_APPOINTMENTS", "PARTNER_OF_PARTICIPATIONS", "PARTNER_WITHOUT_SCOPE")
STAFF = ("STAFF", "OBSERVER", "OPERATOR", "STAFF_OF_FULL_NIR")
SIGNED_IN_FOR_NOTHING = ("EMPLOYER_OF_NOTHING", "LABOR_INSPECTOR_OF_NOTHING")
VIEWERS = (
    ANONYMOUS,
    JOB_SEEKER,
    EMPLOYER,
    AUTHORIZED,
    *PRESCRIBERS,
    INSPECTOR,
    *PARTNERS,
    *STAFF,
    *SIGNED_IN_FOR_NOTHING,
)
SIGNED_IN = tuple(viewer for viewer in VIEWERS if viewer != ANONYMOUS)

# -- rows

Rows = frozenset[str]
EVERY_ROW = frozenset({"*"})


def rows(text: str) -> Rows:
    return frozenset(text.split())


def _staff(seen: Rows = EVERY_ROW) -> dict[str, Rows]:
    return dict.fromkeys(STAFF, seen)


def _prescribers(seen: Rows) -> dict[str, Rows]:
    return dict.fromkeys(PRESCRIBERS, seen)


_STANDING = rows("zoe_a1 yves_a1 olga_a1 xena_a2 nils_a2 tess_a2 zoe_b1 wim_b1")

VISIBLE: Mapping[str, Mapping[str, Rows]] = {
    "JobSeeker": {
        JOB_SEEKER: rows("zoe"),
        EMPLOYER: rows("zoe yves xena nils tess"),
        AUTHORIZED: rows("yves xena rita"),
        **_prescribers(rows("nils")),
        "PARTNER": rows("zoe yves xena nils tess olga"),
        "PARTNER_OF_PARTICIPATIONS": rows("zoe yves xena nils tess olga"),
        **_staff(),
    },
    "JobApplication": {
        JOB_SEEKER: rows("zoe_a zoe_b"),
        EMPLOYER: rows("zoe_a yves_a xena_a nils_a tess_a"),
        AUTHORIZED: rows("yves_a xena_a"),
        **_prescribers(rows("nils_a")),
        **_staff(),
    },
    "Approval": {
        JOB_SEEKER: rows("zoe"),
        EMPLOYER: rows("zoe yves xena nils tess"),
        AUTHORIZED: rows("yves xena rita"),
        **_prescribers(rows("nils")),
        **_staff(),
    },
    "NotificationAttempt": {"OPERATOR": EVERY_ROW},
    "WebhookEvent": {"OPERATOR": EVERY_ROW},
    "Company": {
        JOB_SEEKER: rows("a b"),
        EMPLOYER: rows("a"),
        AUTHORIZED: rows("a"),
        **_prescribers(rows("a")),
        INSPECTOR: rows("a c"),
        **dict.fromkeys(PARTNERS, rows("a")),
        **_staff(),
    },
    "PrescriberOrganization": {AUTHORIZED: rows("p"), "PRESCRIBER": rows("n"), **_staff()},
    "Institution": {INSPECTOR: rows("i"), **_staff()},
    "User": {
        JOB_SEEKER: rows("zoe"),
        EMPLOYER: rows("emma"),
        "EMPLOYER_OF_NOTHING": rows("emma"),
        AUTHORIZED: rows("paul"),
        **_prescribers(rows("nora")),
        INSPECTOR: rows("ines"),
        "LABOR_INSPECTOR_OF_NOTHING": rows("ines"),
        **_staff(),
    },
    "Appointment": {
        JOB_SEEKER: rows("a1 b1"),
        EMPLOYER: rows("a1 a2"),
        AUTHORIZED: rows("a1 a2"),
        "PARTNER": rows("a1 a2"),
        "PARTNER_OF_APPOINTMENTS": rows("a1 a2"),
        **_staff(rows("a1 a2 b1")),
    },
    "Participation": {
        JOB_SEEKER: rows("zoe_a1 zoe_b1"),
        EMPLOYER: rows("zoe_a1 yves_a1 xena_a2 nils_a2 tess_a2"),
        AUTHORIZED: rows("yves_a1 xena_a2"),
        "PARTNER": rows("zoe_a1 yves_a1 olga_a1 xena_a2 nils_a2 tess_a2"),
        "PARTNER_OF_PARTICIPATIONS": rows("zoe_a1 yves_a1 olga_a1 xena_a2 nils_a2 tess_a2"),
        **_staff(_STANDING),
    },
    "Location": {
        JOB_SEEKER: rows("room_a room_b"),
        EMPLOYER: rows("room_a"),
        AUTHORIZED: rows("room_a"),
        "PARTNER": rows("room_a"),
        "PARTNER_OF_APPOINTMENTS": rows("room_a"),
        **_staff(),
    },
    "InvitationRequest": {EMPLOYER: rows("zoe_a xena_a"), **_staff()},
    "Invitation": {EMPLOYER: rows("zoe_a xena_a"), **_staff()},
    "Survey": {
        JOB_SEEKER: rows("zoe_a_job_seeker"),
        EMPLOYER: rows("zoe_a_employer yves_a_employer xena_a_employer nils_a_employer tess_a_employer"),
        AUTHORIZED: rows("yves_a_prescriber xena_a_prescriber"),
        **_prescribers(rows("nils_a_prescriber")),
        **_staff(),
    },
}

# -- fields


@dataclass(frozen=True, slots=True)
class Field:
    """Who reads a field of a row in sight; everybody else gets null and FORBIDDEN.

    `readers`: None stands for everybody. `but_only`: rows of which a viewer reads it, where that is not all they see.
    `shows`: the type of the rows it leads to, of which only those in sight are shown. `even_hidden`: the row it leads
    to is shown whether or not it is in sight by itself. `may_be_null`: nothing to show is no secret. `of_partner`: read
    from a partner, which the world of these tests has none of, so that who may read it is told so.
    """

    readers: frozenset[str] | None = None
    but_only: tuple[tuple[str, Rows], ...] = ()
    shows: str | None = None
    even_hidden: bool = False
    may_be_null: bool = False
    of_partner: bool = False

    def is_read_by(self, viewer: str, row: str) -> bool:
        if self.readers is not None and viewer not in self.readers:
            return False
        return all(row in seen for reader, seen in self.but_only if reader == viewer)


VALUE = Field()
MAYBE = Field(may_be_null=True)
# A machine client knows a person by id and name.
_PEOPLE = frozenset(SIGNED_IN) - frozenset(PARTNERS)
PEOPLE = Field(_PEOPLE)
OF_STAFF = Field(frozenset(STAFF))


def fields(type_name: str, names: str, field: Field = VALUE) -> dict[str, Field]:
    return {f"{type_name}.{name}": field for name in names.split()}


FIELDS: Mapping[str, Field] = {
    **fields("JobSeeker", "id firstName lastName"),
    **fields("JobSeeker", "title email phone birthdate nir franceTravailId address isCertified", PEOPLE),
    **fields("JobSeeker", "birthCountry identityCertifications readonlyFields", PEOPLE),
    **fields("JobSeeker", "birthPlace", Field(_PEOPLE, of_partner=True)),
    **fields("JobSeeker", "consents", Field(_PEOPLE - frozenset(PRESCRIBERS))),
    **fields("JobSeeker", "currentApproval approvals", Field(shows="Approval")),
    **fields("JobSeeker", "jobApplications", Field(shows="JobApplication")),
    **fields("JobSeeker", "participations", Field(shows="Participation")),
    **fields("JobSeeker", "surveys", Field(shows="Survey")),
    **fields("IdentityCertification", "authority certifiedAt"),
    **fields("Consent", "purpose givenAt withdrawnAt"),
    **fields("PostalAddress", "line1 line2 postCode city inseeCode coordinates geocodingScore department"),
    **fields("PostalAddress", "commune", Field(of_partner=True)),
    **fields("Country", "inseeCode name"),
    **fields("Coordinates", "latitude longitude"),
    **fields("Department", "code name region"),
    **fields("Region", "code name departments"),
    # -- approvals
    **fields("Approval", "id number startAt endAt state"),
    **fields("Approval", "jobSeeker", Field(shows="JobSeeker")),
    **fields("Approval", "originCompany", Field(_PEOPLE - frozenset(PRESCRIBERS), shows="Company")),
    **fields(
        "Approval", "notification", Field(frozenset((*STAFF, EMPLOYER)), ((EMPLOYER, rows("zoe xena nils tess")),))
    ),
    **fields("ApprovalNotification", "status"),
    **fields("ApprovalNotification", "lastAttemptAt nextAttemptAt endpoint exitCode exitLabel blockedBy", OF_STAFF),
    **fields("ApprovalNotification", "attempts", Field(frozenset({"OPERATOR"}), shows="NotificationAttempt")),
    **fields("NotificationAttempt", "id startedAt durationMs endpoint httpStatus exitCode outcome traceId"),
    **fields("WebhookEvent", "id source receivedAt status model event attempts error processedAt"),
    # -- job applications and surveys
    **fields("JobApplication", "id state createdAt senderKind canInvite upcomingParticipationsCount"),
    **fields("JobApplication", "nextAppointmentStartAt", MAYBE),
    **fields("JobApplication", "diagorienteInvitation"),
    **fields("JobApplication", "jobSeeker", Field(shows="JobSeeker")),
    **fields("JobApplication", "company", Field(shows="Company")),
    **fields("JobApplication", "approval", Field(shows="Approval")),
    **fields("JobApplication", "invitationRequests", Field(shows="InvitationRequest")),
    **fields("JobApplication", "surveys", Field(shows="Survey")),
    **fields("DiagorienteInvitation", "status recipient sentAt openedAt"),
    **fields("Survey", "id kind status sentAt answeredAt url"),
    **fields("Survey", "jobApplication", Field(shows="JobApplication")),
    **fields("SurveyStatistics", "kind sent answered answeredWithoutLink answerRate"),
    **fields("PartnerHealth", "partner breaker lastSuccessAt lastFailureAt p95Ms errorRate"),
    # -- organisations and users
    **fields("Company", "id siret siren naf kind name address department isOpenToAppointments"),
    **fields("Company", "establishment", Field(of_partner=True)),
    **fields("Company", "jobApplications", Field(shows="JobApplication")),
    **fields("Company", "appointments", Field(shows="Appointment")),
    **fields("PrescriberOrganization", "id kind name siret isAuthorized department"),
    **fields("Institution", "id kind name department region"),
    **fields("User", "id kind firstName lastName email"),
    # -- appointments
    **fields("Appointment", "id startAt endAt durationMinutes status reasonCategory reason isCollective address"),
    **fields("Appointment", "totalParticipants maxParticipants cancelledAt"),
    # Where one is expected: the name and number of a company are public.
    **fields("Appointment", "company", Field(shows="Company", even_hidden=True)),
    **fields("Appointment", "location", Field(shows="Location")),
    **fields("Appointment", "participations", Field(shows="Participation")),
    **fields("Location", "id name address phoneNumber"),
    **fields("Participation", "id status cancelledBy statusLabel updatedAt"),
    **fields("Participation", "jobSeeker", Field(shows="JobSeeker")),
    **fields(
        "Participation",
        "appointment",
        Field(frozenset(SIGNED_IN) - {"PARTNER_OF_PARTICIPATIONS"}, shows="Appointment"),
    ),
    **fields("InvitationRequest", "id createdAt reasonCategory"),
    **fields("InvitationRequest", "company", Field(shows="Company")),
    **fields("InvitationRequest", "jobSeeker", Field(shows="JobSeeker")),
    **fields("InvitationRequest", "invitations", Field(shows="Invitation")),
    **fields("Invitation", "id kind status deliveredAt"),
    # -- who is asking
    **fields("Viewer", "kind permissions"),
    **fields("Viewer", "user", Field(shows="User")),
    **fields("Viewer", "organization"),
    # -- pages
    **fields("PageInfo", "hasNextPage hasPreviousPage"),
    **fields("PageInfo", "startCursor endCursor", MAYBE),
}
# Parts of pages: all alike, and shown with their rows.
CONNECTION_PARTS = frozenset(["edges", "nodes", "pageInfo", "totalCount"])
EDGE_PARTS = frozenset(["node", "cursor"])

# What mutations answer to who may call them (see MUTATIONS): nobody is refused a part of their own answer.
OUTCOMES: Mapping[str, str] = {
    "InvalidInput": "message code problems",
    "FieldProblem": "path message",
    "Conflict": "message code",
    "NotFound": "message code",
    "IdentityCertified": "jobSeeker certification",
    "IdentityNotFound": "message code partnerCode",
    "IdentityAmbiguous": "message code partnerCode",
    "PartnerRejected": "message code partner partnerCode",
    "PartnerUnavailable": "message code partner retryAfterSeconds",
    "ConsentRequired": "message code purpose",
    "FieldLocked": "message code fields certifiedBy",
    "TooSoon": "message code availableAt",
    "NotConfigured": "message code",
}

# What partners publish about places and companies, the same for everybody.
PUBLIC_DATA: Mapping[str, str] = {
    "Commune": "inseeCode name postCodes department coordinates population",
    "GeocodedAddress": "label line1 postCode city inseeCode coordinates score",
    "Establishment": (
        "siret siren legalName tradeName address naf nafLabel isOpen isHeadOffice isPartiallyDisclosed fetchedAt"
    ),
    "InclusionStructure": (
        "id source name siret address phone email website description networks qualityScore updatedOn"
    ),
}

# Dashboards of Metabase, made for their viewer: who opens which is told in test_dashboards.py.
OF_DASHBOARDS: Mapping[str, str] = {
    "Dashboard": "slug title embedUrl cards",
    "DashboardCard": "id title downloadUrl",
}

# What an event tells of a row; the row itself is in VISIBLE and FIELDS.
EVENTS: Mapping[str, str] = {
    "ParticipationStatusChange": "cursor participation previousStatus status occurredAt",
    "AppointmentChange": "cursor kind appointment occurredAt",
}

# -- root fields

# Lists by the type of their rows, and single rows by how they are asked for. All of them need a token.
ROOT_LISTS: Mapping[str, str] = {
    "jobSeekers": "JobSeeker",
    "jobApplications": "JobApplication",
    "approvals": "Approval",
    "appointments": "Appointment",
    "participations": "Participation",
    "surveys": "Survey",
    "companies": "Company",
    "webhookEvents": "WebhookEvent",
}
ROOT_ROWS: Mapping[str, str] = {
    "jobSeeker": "JobSeeker",
    "jobApplication": "JobApplication",
    "approval": "Approval",
    "company": "Company",
}
ROOT_NODES = frozenset({"node", "nodes"})
FOR_THE_SIGNED_IN = frozenset({"viewer", "geocode", "establishment", "inclusionStructures"})
FOR_EVERYBODY = frozenset(
    {"department", "departments", "commune", "communes", "addressSuggestions", "dashboards", "dashboard"}
)
# Counts in which nobody is named; everybody else is FORBIDDEN.
FIGURES: Mapping[str, frozenset[str]] = {
    "surveyStatistics": frozenset({*STAFF, INSPECTOR}),
    "partnerHealth": frozenset({"OPERATOR"}),
}

# -- mutations: on which rows of the world (approvals, applications, people) each viewer may act. Whoever is not named
# is FORBIDDEN; a row that is not named is NOT_FOUND when it is out of sight, else FORBIDDEN.
_ABOUT_PEOPLE = {
    JOB_SEEKER: rows("zoe"),
    EMPLOYER: rows("zoe yves xena nils tess"),
    AUTHORIZED: rows("yves xena rita"),
    **_staff(),
}
MUTATIONS: Mapping[str, Mapping[str, Rows]] = {
    "createApproval": {EMPLOYER: rows("zoe_a yves_a xena_a nils_a tess_a"), **_staff()},
    "updateApprovalDates": {EMPLOYER: rows("zoe xena nils tess"), **_staff()},
    "cancelApproval": {EMPLOYER: rows("zoe xena nils tess"), **_staff()},
    "retryApprovalNotification": {"OPERATOR": EVERY_ROW},
    "certifyIdentity": _ABOUT_PEOPLE,
    "updateJobSeeker": _ABOUT_PEOPLE,
    "recordConsent": _ABOUT_PEOPLE,
    "withdrawConsent": _ABOUT_PEOPLE,
    # What the company does with its own applications: nobody does it in its place.
    "sendDiagorienteInvitation": {EMPLOYER: rows("zoe_a yves_a xena_a nils_a tess_a")},
    # As called there, the survey for employers; the others: test_survey_rights.py.
    "requestSurvey": {EMPLOYER: rows("zoe_a yves_a xena_a nils_a tess_a")},
    "inviteToAppointment": {EMPLOYER: rows("zoe_a yves_a xena_a nils_a tess_a")},
    # Of employers, the administrators of the company, which those of this world are not.
    "updateCompany": _staff(),
}
# -- subscriptions: changes of which rows each viewer is told. Of appointments and participations, those that they see
# (VISIBLE); whoever is not named for notifications is FORBIDDEN to follow them.
SUBSCRIPTIONS: Mapping[str, Mapping[str, Rows]] = {
    "participationStatusChanged": VISIBLE["Participation"],
    "appointmentChanged": VISIBLE["Appointment"],
    # Employers of the company that obtained the approval, as they may read its status.
    "approvalNotificationChanged": {EMPLOYER: rows("zoe xena nils tess"), **_staff()},
}
# Those that are about no row yet, or about rows that concern nobody but operators.
ENTRIES: Mapping[str, frozenset[str]] = {
    "registerCompany": frozenset(STAFF),
    "replayWebhookEvent": frozenset({"OPERATOR"}),
}

# -- the whole NIR: the person, employers who hired them (an accepted application), staff to whom it was granted
FULL_NIR: Mapping[str, Rows] = {
    JOB_SEEKER: rows("zoe"),
    EMPLOYER: rows("zoe xena nils"),
    "STAFF_OF_FULL_NIR": EVERY_ROW,
}


def sees(viewer: str, type_name: str, row: str) -> bool:
    seen = VISIBLE[type_name].get(viewer, frozenset[str]())
    return row in seen or seen == EVERY_ROW
