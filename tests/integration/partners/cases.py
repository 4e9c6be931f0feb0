"""One case a partner: an operation that needs it, each time about something new, and what the operation came to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from models import Approval, Company, IdentityCertification, InvitationRequest, JobSeekerProfile
from models.enums import CertificationAuthority, CompanyKind, NotificationStatus, UserKind
from resolvers.global_ids import encode
from sandbox.cast import siret_of
from sandbox.france_travail.identifiers import id_national_of
from services.address_book import AddressTable, geocode_one
from services.notification import notify_one
from tests.factories import make_approval, make_company, make_employer, make_job_application, make_job_seeker, make_user
from tests.integration.partners.stand import Stand
from tests.integration.schema.client import Answer
from tests.integration.services.citizens import give_consent
from tests.integration.services.inviters import make_candidate, make_linked_company

OK = "ok"
UNAVAILABLE = "PARTNER_UNAVAILABLE"
REJECTED = "PARTNER_REJECTED"
# Known to the simulated API Géo and to nobody's cache yet.
_COMMUNES = ("06088", "08105", "10387", "13001", "14118", "17300", "18033", "21231", "22278", "25056")
# Where the simulated directory has structures.
_PLACES = ("57672", "57227", "54395", "67482", "59350", "69123", "35238", "44109", "33063", "13055")
_FIRST_SIREN = 90_218_000


@dataclass(frozen=True, kw_only=True)
class PartnerCase:
    """`ask` operates on something that no test has seen. `written`: how many rows say that the partner agreed.

    `credentials`: settings of the simulator under which ours are wrong, and those under which they are right again;
    None for a partner that asks for none. `refused`: what the operation then comes to. `exceptions`: faults that this
    partner's documentation takes for something else than an outage, and what they come to.
    """

    name: str
    client: str
    mount: str
    ask: Callable[[Stand], Awaitable[Answer]]
    outcome: Callable[[Answer], str]
    written: Callable[[], Awaitable[int]] | None = None
    path: str | None = None
    credentials: tuple[str, dict[str, Any], dict[str, Any]] | None = None
    refused: str = UNAVAILABLE
    exceptions: dict[str, str] = field(default_factory=dict[str, str])


def _member(answer: Answer) -> str:
    """Of a field whose type is a union."""
    asked: dict[str, str] = answer.body["data"]["asked"]
    return asked.get("code", OK)


def _nullable(*path: str) -> Callable[[Answer], str]:
    """Of a field that is null, with an error at its path, where the partner has nothing to say."""

    def read(answer: Answer) -> str:
        found = answer.body["data"]
        for step in path:
            found = found[step]
        return OK if found is not None else answer.errors_by_path[".".join(path)]

    return read


_MEMBER = "__typename ... on Error { code } ... on PartnerUnavailable { partner retryAfterSeconds }"
_REST = "rest: departments { code }"
_OTHER_CHANGE = "rest: cancelApproval(id: $other) { __typename }"
CERTIFY = f"""mutation($id: ID!, $authority: CertificationAuthority!, $other: ID!) {{
  asked: certifyIdentity(input: {{jobSeekerId: $id, authority: $authority}}) {{ {_MEMBER} }} {_OTHER_CHANGE} }}"""
GEOCODE = f"query($address: String!) {{ asked: geocode(address: $address) {{ {_MEMBER} }} {_REST} }}"
COMMUNE = f"query($code: String!) {{ asked: commune(inseeCode: $code) {{ name }} {_REST} }}"
ESTABLISHMENT = f"query($siret: String!) {{ asked: establishment(siret: $siret) {{ {_MEMBER} }} {_REST} }}"
REGISTER = f"""mutation($siret: SIRET!, $other: ID!) {{
  asked: registerCompany(input: {{siret: $siret, kind: ACI}}) {{ {_MEMBER} }} {_OTHER_CHANGE} }}"""
STRUCTURES = f"""query($code: String!) {{
  asked: inclusionStructures(filter: {{communeInseeCode: $code}}, first: 1) {{ totalCount }} {_REST} }}"""
INVITE = f"""mutation($id: ID!, $other: ID!) {{
  asked: inviteToAppointment(jobApplicationId: $id) {{ {_MEMBER} }} {_OTHER_CHANGE} }}"""
CARDS = f'{{ asked: dashboard(slug: "stats_public") {{ title cards {{ id }} }} {_REST} }}'
COMPANY = f"query($siret: SIRET!) {{ asked: company(siret: $siret) {{ address {{ geocodingScore }} }} {_REST} }}"
APPROVAL = f"query($number: String!) {{ asked: approval(number: $number) {{ notification {{ status }} }} {_REST} }}"


async def _certify(stand: Stand, authority: CertificationAuthority) -> Answer:
    person = await make_job_seeker(first_name="Zélie", last_name="Fictive")
    await give_consent(person)
    variables = {"id": encode("JobSeeker", person.id), "authority": authority.name, "other": _nothing()}
    return await stand.api(CERTIFY, variables, as_=await make_user(UserKind.STAFF))


async def _certify_with_france_travail(stand: Stand) -> Answer:
    return await _certify(stand, CertificationAuthority.FRANCE_TRAVAIL)


async def _certify_with_api_particulier(stand: Stand) -> Answer:
    return await _certify(stand, CertificationAuthority.API_PARTICULIER)


async def _announce(stand: Stand) -> Answer:
    """The job first, as its worker runs it; then what the API says of its outcome."""
    person = await make_job_seeker(first_name="Zélie", last_name="Fictive")
    profile = await JobSeekerProfile.get(user_id=person.id)
    await JobSeekerProfile.filter(user_id=person.id).update(pe_obfuscated_nir=id_national_of(str(profile.nir)[:13]))
    approval = await make_approval(person, pe_notification_status=NotificationStatus.READY)
    await notify_one(approval.id, france_travail=stand.france_travail)
    return await stand.api(APPROVAL, {"number": approval.number}, as_=await make_user(UserKind.STAFF))


async def _geocode(stand: Stand) -> Answer:
    address = f"{next(stand.numbers)} rue Haute, 57000 Metz"
    return await stand.api(GEOCODE, {"address": address}, as_=await make_user(UserKind.STAFF))


async def _geocode_company(stand: Stand) -> Answer:
    """The job first, as its worker runs it; then what the API says of the address."""
    address = {"address_line_1": f"{next(stand.numbers)} rue Haute", "post_code": "57000", "city": "Metz"}
    company = await make_company(**address)
    await geocode_one(AddressTable.COMPANY, company.id, ban=stand.ban)
    return await stand.api(COMPANY, {"siret": company.siret}, as_=await make_user(UserKind.STAFF))


async def _commune(stand: Stand) -> Answer:
    return await stand.api(COMMUNE, {"code": _COMMUNES[next(stand.numbers)]})


async def _establishment(stand: Stand) -> Answer:
    siret = siret_of(_FIRST_SIREN + next(stand.numbers))
    return await stand.api(ESTABLISHMENT, {"siret": siret}, as_=await make_user(UserKind.STAFF))


async def _register(stand: Stand) -> Answer:
    variables = {"siret": siret_of(_FIRST_SIREN + next(stand.numbers)), "other": _nothing()}
    return await stand.api(REGISTER, variables, as_=await make_user(UserKind.STAFF))


async def _structures(stand: Stand) -> Answer:
    return await stand.api(STRUCTURES, {"code": _PLACES[next(stand.numbers)]}, as_=await make_user(UserKind.STAFF))


async def _invite(stand: Stand) -> Answer:
    number = next(stand.numbers)
    company = await make_linked_company(rdv_solidarites_id=2_000 + number, kind=CompanyKind.ACI)
    candidate = await make_candidate(email=f"zelie{number}@exemple.test", phone=f"06000000{number:02d}")
    application = await make_job_application(candidate, company)
    variables = {"id": encode("JobApplication", application.id), "other": _nothing()}
    return await stand.api(INVITE, variables, as_=await make_employer(company), of=company)


async def _cards(stand: Stand) -> Answer:
    return await stand.api(CARDS)


def _nothing() -> str:
    """The id of an approval that there is not."""
    return encode("Approval", uuid4())


def _geocoded(answer: Answer) -> str:
    """An outage leaves the address without a score; 0 would say that it is nowhere."""
    score = answer.data["asked"]["address"]["geocodingScore"]
    return UNAVAILABLE if score is None else OK if score > 0 else "nothing found"


def _announced(answer: Answer) -> str:
    status: str = answer.data["asked"]["notification"]["status"]
    return {"SUCCESS": OK, "SHOULD_RETRY": UNAVAILABLE, "ERROR": REJECTED}.get(status, status)


async def _count_announced() -> int:
    return await Approval.filter(pe_notification_status=NotificationStatus.SUCCESS).count()


CASES = (
    PartnerCase(
        name="France Travail, on demand",
        client="france_travail",
        mount="france-travail",
        path="/rechercheindividucertifie",
        ask=_certify_with_france_travail,
        outcome=_member,
        written=lambda: IdentityCertification.all().count(),
        exceptions={"wrong shape": REJECTED},  # an answer without exit code is France Travail's, and no match
        credentials=("france-travail", {"client_secret": "another"}, {"client_secret": "not-a-real-secret"}),
    ),
    PartnerCase(
        name="France Travail, the token",
        client="france_travail",
        mount="france-travail",
        path="/connexion",
        ask=_certify_with_france_travail,
        outcome=_member,
        written=lambda: IdentityCertification.all().count(),
    ),
    PartnerCase(
        name="France Travail, the job",
        client="france_travail",
        mount="france-travail",
        path="/maj-pass-iae",
        ask=_announce,
        outcome=_announced,
        written=_count_announced,
        exceptions={"wrong shape": REJECTED},
        credentials=("france-travail", {"client_secret": "another"}, {"client_secret": "not-a-real-secret"}),
    ),
    PartnerCase(
        name="API Particulier",
        client="api_particulier",
        mount="api-particulier",
        ask=_certify_with_api_particulier,
        outcome=_member,
        written=lambda: IdentityCertification.all().count(),
        credentials=("api-particulier", {"token_state": "blacklisted"}, {"token_state": "valid"}),
    ),
    PartnerCase(name="BAN", client="ban", mount="ban", ask=_geocode, outcome=_member),
    PartnerCase(
        name="BAN, the job",
        client="ban",
        mount="ban",
        ask=_geocode_company,
        outcome=_geocoded,
        written=lambda: Company.exclude(geocoding_score=None).count(),
    ),
    PartnerCase(name="API Géo", client="api_geo", mount="geo", ask=_commune, outcome=_nullable("asked")),
    PartnerCase(
        name="Sirene, a look-up",
        client="sirene",
        mount="sirene",
        ask=_establishment,
        outcome=_member,
        credentials=("sirene", {"api_key": "another"}, {"api_key": "11111111-2222-3333-4444-555555555555"}),
    ),
    PartnerCase(
        name="Sirene, a new company",
        client="sirene",
        mount="sirene",
        ask=_register,
        outcome=_member,
        written=lambda: Company.all().count(),
        credentials=("sirene", {"api_key": "another"}, {"api_key": "11111111-2222-3333-4444-555555555555"}),
    ),
    PartnerCase(
        name="data·inclusion",
        client="data_inclusion",
        mount="data-inclusion",
        ask=_structures,
        outcome=_nullable("asked"),
        credentials=("data-inclusion", {"token": "another"}, {"token": "not-a-real-directory-token"}),
    ),
    PartnerCase(
        name="RDV-Insertion",
        client="rdv_insertion",
        mount="rdv-insertion",
        ask=_invite,
        outcome=_member,
        written=lambda: InvitationRequest.all().count(),
        credentials=("rdv-solidarites", {"password": "another"}, {"password": "mot-de-passe-fictif"}),
        refused=REJECTED,
    ),
    PartnerCase(
        name="RDV-Solidarités, signing in",
        client="rdv_insertion",
        mount="rdv-solidarites",
        ask=_invite,
        outcome=_member,
        written=lambda: InvitationRequest.all().count(),
    ),
    PartnerCase(
        name="Metabase",
        client="metabase",
        mount="metabase",
        ask=_cards,
        outcome=_nullable("asked", "cards"),
        credentials=("metabase", {"secret_key": "0" * 64}, {"secret_key": "5a9db0c0" * 8}),
    ),
)
