"""A small world for the access matrix: two companies, three prescribers' organisations, and people between them.

Seen from the viewers of the matrix, there are rows of their own, of their organisation, and of others:

- Zoé signs in herself. Company A hired her; she also applied to company B.
- Yves was sent to A by Paul of P (authorised), Xena by his colleague Pia. B obtained the approval of Yves.
- Nils was sent to A by Nora of N (not authorised), Tess by her colleague Nadia.
- Rita was registered by P and applied nowhere. B obtained her approval.
- Wim was sent to B by Q: nothing of his concerns A, P or N.
- Olga came to an appointment of A; her application has moved to B since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from models import (
    Appointment,
    Approval,
    Company,
    Consent,
    Invitation,
    InvitationRequest,
    JobApplication,
    Location,
    NotificationAttempt,
    Participation,
    PartnerClient,
    Survey,
    User,
    WebhookEvent,
)
from models.enums import (
    CancelledBy,
    CertificationAuthority,
    ConsentPurpose,
    Delivery,
    DiagorienteRecipient,
    InvitationKind,
    InvitationStatus,
    JobApplicationState,
    NotificationEndpoint,
    NotificationStatus,
    ParticipationStatus,
    Partner,
    SenderKind,
    SurveyKind,
    SurveyStatus,
    Title,
    UserKind,
    WebhookEventStatus,
)
from resolvers.global_ids import encode
from tests.factories import (
    make_appointment,
    make_approval,
    make_certification,
    make_company,
    make_employer,
    make_institution,
    make_job_application,
    make_job_seeker,
    make_labor_inspector,
    make_participation,
    make_partner_client,
    make_prescriber,
    make_prescriber_organization,
    make_siret,
    make_user,
)
from tests.integration.schema.client import Organization

NOW = datetime.now(UTC)
WEBHOOK_EVENT_ID = UUID("3b1f0c3e-6d0a-4c53-9a57-3f6d0b7f5a10")
_serials = iter(range(1, 1_000_000))
_PLACE = {
    "address_line_1": "3 rue Inventée",
    "address_line_2": "Bâtiment B",
    "post_code": "57000",
    "city": "Metz",
    "insee_code": "57463",
    "department": "57",
    "latitude": 49.1,
    "longitude": 6.2,
    "geocoding_score": 0.9,
}
_KINDS = {
    "employer": SurveyKind.POST_HIRING_EMPLOYER,
    "job_seeker": SurveyKind.POST_HIRING_JOB_SEEKER,
    "prescriber": SurveyKind.PRESCRIBER_SATISFACTION,
}


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose token, and on behalf of which organisation. Without `who`: no token."""

    who: User | PartnerClient | None = None
    of: Organization | None = None


@dataclass(slots=True)
class World:
    """Rows by GraphQL type and by the names that matrix.py uses; viewers by theirs."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    viewers: dict[str, Asker] = field(default_factory=dict[str, Asker])

    def add(self, type_name: str, name: str, row: Any) -> Any:
        named = self.rows.setdefault(type_name, {})
        assert name not in named
        named[name] = row
        return row

    def row(self, type_name: str, name: str) -> Any:
        return self.rows[type_name][name]

    def id(self, type_name: str, name: str) -> str:
        return encode(type_name, self.rows[type_name][name].id)

    def names(self, type_name: str, keys: set[UUID]) -> set[str]:
        return {name for name, row in self.rows[type_name].items() if row.id in keys}


async def make_world() -> World:
    world = World()
    await _make_organizations(world)
    await _make_viewers(world)
    await _make_job_seekers(world)
    await _make_hirings(world)
    await _make_appointments(world)
    await _make_invitations(world)
    await _make_surveys(world)
    await _make_inbox(world)
    return world


async def _make_inbox(world: World) -> None:
    event = await WebhookEvent.create(
        id=WEBHOOK_EVENT_ID,
        source=Partner.RDV_INSERTION,
        fingerprint="0" * 64,
        received_at=NOW,
        arrival=next(_serials),
        status=WebhookEventStatus.FAILED,
        model="rdv",
        event="updated",
        resource_id="1",
        resource_at=NOW,
        event_rank=1,
        precedence=1,
        body="{}",
        attempts=1,
        error="unlisted_status",
        processed_at=NOW,
    )
    world.add("WebhookEvent", "failed", event)


async def _make_organizations(world: World) -> None:
    for name, department in (("a", "57"), ("b", "75"), ("c", "57")):
        company = await make_company(
            naf="8899B", rdv_solidarites_id=next(_serials), **{**_PLACE, "department": department}
        )
        world.add("Company", name, company)
    for name, is_authorized in (("p", True), ("q", True), ("n", False)):
        organization = await make_prescriber_organization(is_authorized=is_authorized, siret=make_siret())
        world.add("PrescriberOrganization", name, organization)
    for name, department in (("i", "57"), ("j", "75")):
        world.add("Institution", name, await make_institution(department=department))


async def _make_viewers(world: World) -> None:
    a, p, n = (
        world.row("Company", "a"),
        world.row("PrescriberOrganization", "p"),
        world.row("PrescriberOrganization", "n"),
    )
    q, i = world.row("PrescriberOrganization", "q"), world.row("Institution", "i")
    people = {
        "emma": await make_employer(a),
        "paul": await make_prescriber(p),
        "pia": await make_prescriber(p),
        "quentin": await make_prescriber(q),
        "nora": await make_prescriber(n),
        "nadia": await make_prescriber(n),
        "ines": await make_labor_inspector(i),
        "sam": await make_user(UserKind.STAFF),
        "oscar": await make_user(UserKind.STAFF, is_observer=True),
        "olivia": await make_user(UserKind.STAFF, is_operator=True),
        "nia": await make_user(UserKind.STAFF, may_read_full_nir=True),
    }
    for name, person in people.items():
        world.add("User", name, person)
    partner = {
        "PARTNER": ("appointments:read", "participations:read"),
        "PARTNER_OF_APPOINTMENTS": ("appointments:read",),
        "PARTNER_OF_PARTICIPATIONS": ("participations:read",),
        "PARTNER_WITHOUT_SCOPE": (),
    }
    world.viewers = {
        "ANONYMOUS": Asker(),
        "EMPLOYER": Asker(people["emma"], a),
        "EMPLOYER_OF_NOTHING": Asker(people["emma"]),
        "AUTHORIZED_PRESCRIBER": Asker(people["paul"], p),
        "PRESCRIBER": Asker(people["nora"], n),
        "PRESCRIBER_OF_NOTHING": Asker(people["nora"]),
        "LABOR_INSPECTOR": Asker(people["ines"], i),
        "LABOR_INSPECTOR_OF_NOTHING": Asker(people["ines"]),
        **{name: Asker(await make_partner_client(a, scopes=scopes)) for name, scopes in partner.items()},
        "STAFF": Asker(people["sam"]),
        "OBSERVER": Asker(people["oscar"]),
        "OPERATOR": Asker(people["olivia"]),
        "STAFF_OF_FULL_NIR": Asker(people["nia"]),
    }


async def _make_job_seekers(world: World) -> None:
    for name in ("zoe", "yves", "xena", "nils", "tess", "rita", "wim", "olga"):
        registered_by = world.row("PrescriberOrganization", "p") if name == "rita" else None
        person = await make_job_seeker(
            title=Title.MME,
            profile={
                **_PLACE,
                "pole_emploi_id": "1234567A",
                "created_by_prescriber_organization": registered_by,
            },
        )
        world.add("JobSeeker", name, person)
        world.add("User", name, person)
        await make_certification(person, CertificationAuthority.API_PARTICULIER)
        await Consent.create(
            job_seeker=person,
            purpose=ConsentPurpose.IDENTITY_CERTIFICATION,
            text_version="1",
            given_at=NOW,
            withdrawn_at=NOW,
        )
    world.viewers["JOB_SEEKER"] = Asker(world.row("JobSeeker", "zoe"))


async def _make_hirings(world: World) -> None:
    for person, company in (
        ("zoe", "a"),
        ("yves", "b"),
        ("xena", "a"),
        ("nils", "a"),
        ("tess", "a"),
        ("rita", "b"),
        ("wim", "b"),
    ):
        approval = await _make_told_approval(world.row("JobSeeker", person), world.row("Company", company))
        world.add("Approval", person, approval)
        world.add("NotificationAttempt", person, await _make_attempt(approval))
    accepted, new = JobApplicationState.ACCEPTED, JobApplicationState.NEW
    for name, sender, organization, state in (
        ("zoe_a", "zoe", None, accepted),
        ("zoe_b", "zoe", None, new),
        ("yves_a", "paul", "p", new),
        ("xena_a", "pia", "p", accepted),
        ("nils_a", "nora", "n", accepted),
        ("tess_a", "nadia", "n", new),
        ("wim_b", "quentin", "q", accepted),
        ("olga_b", "olga", None, new),
    ):
        person, _, company = name.partition("_")
        application = await make_job_application(
            world.row("JobSeeker", person),
            world.row("Company", company),
            state=state,
            approval=world.rows["Approval"].get(person) if name != "zoe_b" else None,
            sender=world.row("User", sender),
            sender_kind=SenderKind.PRESCRIBER if organization else SenderKind.JOB_SEEKER,
            sender_prescriber_organization=world.row("PrescriberOrganization", organization) if organization else None,
            diagoriente_invite_sent_at=NOW,
            diagoriente_opened_at=NOW,
            diagoriente_recipient=DiagorienteRecipient.JOB_SEEKER,
        )
        world.add("JobApplication", name, application)


async def _make_told_approval(person: User, company: Company) -> Approval:
    return await make_approval(
        person,
        company,
        accepted_application=False,
        start_at=date.today() - timedelta(days=10),  # noqa: DTZ011 (any day within two years will do)
        pe_notification_status=NotificationStatus.ERROR,
        pe_notification_time=NOW,
        pe_notification_endpoint=NotificationEndpoint.RECHERCHE_INDIVIDU,
        pe_notification_exit_code="S002",
        next_attempt_at=NOW,
    )


async def _make_attempt(approval: Approval) -> NotificationAttempt:
    return await NotificationAttempt.create(
        approval=approval,
        started_at=NOW,
        finished_at=NOW,
        endpoint=NotificationEndpoint.RECHERCHE_INDIVIDU,
        http_status=200,
        exit_code="S002",
        outcome=NotificationStatus.ERROR,
        delivery=Delivery.REFUSED,
        trace_id="0" * 32,
    )


async def _make_appointments(world: World) -> None:
    for name in ("room_a", "room_b", "empty_room"):
        location = await Location.create(
            rdv_solidarites_id=next(_serials), name=name, address="1 rue Inventée", phone_number="0300000000"
        )
        world.add("Location", name, location)
    for name, company, room in (
        ("a1", "a", "room_a"),
        ("a2", "a", "room_a"),
        ("b1", "b", "room_b"),
        ("gone", "a", "empty_room"),
    ):
        appointment: Appointment = await make_appointment(
            world.row("Company", company),
            location=world.row("Location", room),
            address="1 rue Inventée",
            total_participants=3,
            max_participants=5,
            cancelled_at=NOW,
            start_at=NOW + timedelta(days=3),
            destroyed_at=NOW if name == "gone" else None,
        )
        world.add("Appointment", name, appointment)
    for name in (
        "zoe_a1",
        "yves_a1",
        "olga_a1",
        "xena_a2",
        "nils_a2",
        "tess_a2",
        "zoe_b1",
        "wim_b1",
        "zoe_gone",
        "yves_a2",
    ):
        person, _, appointment_name = name.partition("_")
        participation: Participation = await make_participation(
            world.row("JobSeeker", person),
            world.row("Appointment", appointment_name),
            status=ParticipationStatus.CANCELLED,
            cancelled_by=CancelledBy.SERVICE,
            removed_at=NOW if name == "yves_a2" else None,
        )
        world.add("Participation", name, participation)


async def _make_invitations(world: World) -> None:
    for name in ("zoe_a", "xena_a", "olga_a", "zoe_b", "wim_b"):
        person, _, company = name.partition("_")
        request: InvitationRequest = await InvitationRequest.create(
            job_seeker=world.row("JobSeeker", person),
            company=world.row("Company", company),
            reason_category="siae_interview",
            rdv_insertion_user_id=next(_serials),
            created_at=NOW,
        )
        world.add("InvitationRequest", name, request)
        invitation: Invitation = await Invitation.create(
            invitation_request=request,
            kind=InvitationKind.SMS,
            status=InvitationStatus.DELIVERED,
            rdv_insertion_id=next(_serials),
            delivered_at=NOW,
        )
        world.add("Invitation", name, invitation)


async def _make_surveys(world: World) -> None:
    for application in ("zoe_a", "yves_a", "xena_a", "nils_a", "tess_a", "wim_b"):
        for asked, kind in _KINDS.items():
            survey = await _make_survey(kind, world.row("JobApplication", application))
            world.add("Survey", f"{application}_{asked}", survey)
    world.add("Survey", "of_nothing", await _make_survey(SurveyKind.POST_HIRING_EMPLOYER, None))


async def _make_survey(kind: SurveyKind, application: JobApplication | None) -> Survey:
    return await Survey.create(
        kind=kind,
        status=SurveyStatus.ANSWERED,
        reference=f"reference-{next(_serials)}",
        form_id="wKx01a",
        job_application=application,
        sent_at=NOW,
        answered_at=NOW,
    )
