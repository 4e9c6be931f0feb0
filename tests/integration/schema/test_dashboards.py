"""Dashboards and exports as a front end meets them, on a real database; Metabase is faked at the edge of HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from clients.metabase import MetabaseClient, MetabaseConfig
from clients.repeat import Repeat
from execution.engine import GraphQLEngine
from models import DashboardVisit, Membership, User
from models.enums import CompanyKind, InstitutionKind, PrescriberKind, UserKind
from resolvers.context import Resources
from schema.exports import ExportsEndpoint
from services.dashboards import Dashboards, ExportLinks, ExportTicket
from services.pictures import PNG_SIGNATURE, Painter
from services.tokens import TokenVerifier
from tests.factories import (
    make_company,
    make_employer,
    make_institution,
    make_labor_inspector,
    make_membership,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, GraphQLClient, Organization, serve, token_for

SITE, SECRET = "https://stats.exemple.test", "0123456789abcdef" * 4
LIST = "{ dashboards { slug title embedUrl } }"
ONE = "query($slug: String!) { dashboard(slug: $slug) { slug embedUrl } }"
CARDS = """query($slug: String!, $format: ExportFormat!) {
  dashboard(slug: $slug) { cards { id title downloadUrl(format: $format) } } }"""
LISTING = {
    "dashcards": [
        {"id": 7011, "card_id": None, "card": {"name": None, "display": None}},
        {"id": 7012, "card_id": 4310, "card": {"name": "Candidatures par mois", "display": "bar"}},
    ]
}
ROWS = b'[{"Mois": "2026-09-01", "Candidatures": 412}, {"Mois": "2026-10-01", "Candidatures": 398}]'
FILES = {
    "csv": ("text/csv", b"Mois,Candidatures\n2026-09-01,412\n"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04rest"),
    "json": ("application/json", ROWS),
}


class Broken(httpx.AsyncByteStream):
    """A body that begins well and ends in the middle."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"Mois,Candidatures\n2026-09-01,412\n"
        raise httpx.ReadError("reset")


@dataclass
class Metabase:
    """What it answers to exports, if not a file; and what it was asked."""

    answer: httpx.Response | None = None
    listing: httpx.Response | None = None
    asked: list[httpx.Request] = field(default_factory=list[httpx.Request])

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        parts = request.url.path.split("/")
        if "dashcard" not in parts:
            return self.listing or httpx.Response(200, json=LISTING)
        content_type, content = FILES[parts[-1]]
        return self.answer or httpx.Response(200, headers={"Content-Type": content_type}, content=content)

    @property
    def exported(self) -> list[httpx.Request]:
        return [request for request in self.asked if "/dashcard/" in request.url.path]


def locked_in(url: str) -> dict[str, Any]:
    """What a token says, its signature verified with the secret as text."""
    token = next(part for part in url.split("#")[0].split("/") if part.startswith("eyJ"))
    return jwt.decode(token, SECRET, algorithms=["HS256"])


@pytest.fixture
def metabase() -> Metabase:
    return Metabase()


@pytest.fixture
def links() -> ExportLinks:
    return ExportLinks(b"tests-only-key-of-links-32-bytes", base_url="http://testserver")


@pytest.fixture
async def dashboards(metabase: Metabase, links: ExportLinks) -> AsyncIterator[Dashboards]:
    config = MetabaseConfig(site_url=SITE, secret_key=SECRET, repeat=Repeat())
    painter = Painter()
    async with httpx.AsyncClient(transport=httpx.MockTransport(metabase.handle), base_url=SITE) as http:
        yield Dashboards(metabase=MetabaseClient(config, http), links=links, painter=painter)
    await painter.aclose()


@pytest.fixture
def resources(resources: Resources, dashboards: Dashboards) -> Resources:
    return replace(resources, dashboards=dashboards)


@pytest.fixture
async def exports(dashboards: Dashboards, links: ExportLinks) -> AsyncIterator[httpx.AsyncClient]:
    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY)
    route = Route("/exports/{token}", ExportsEndpoint(dashboards, links, verifier), methods=["GET"])
    transport = httpx.ASGITransport(Starlette(routes=[route]))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        yield http


async def council(**changes: Any) -> tuple[User, Organization]:
    organization = await make_prescriber_organization(kind=PrescriberKind.DEPT, **changes)
    return await make_prescriber(organization), organization


async def link_to(graphql: GraphQLClient, slug: str, file_format: str, who: User, of: Organization) -> str:
    answer = await graphql(CARDS, {"slug": slug, "format": file_format.upper()}, as_=who, of=of)
    [card] = answer.data["dashboard"]["cards"]
    assert (card["id"], card["title"]) == ("7012", "Candidatures par mois")
    return card["downloadUrl"]


# -- who sees what


async def test_the_public_dashboard_is_signed_for_an_hour_for_anybody(graphql: GraphQLClient):
    before = datetime.now(UTC)

    answer = await graphql(LIST)

    [shown] = answer.data["dashboards"]
    assert shown["slug"] == "stats_public"
    assert shown["embedUrl"].startswith(f"{SITE}/embed/dashboard/")
    assert shown["embedUrl"].endswith("#titled=false")
    said = locked_in(shown["embedUrl"])
    assert (said["resource"], said["params"]) == ({"dashboard": 236}, {})
    assert timedelta(minutes=59) < datetime.fromtimestamp(said["exp"], UTC) - before <= timedelta(minutes=61)
    assert await DashboardVisit.all().count() == 0


async def test_a_council_is_locked_to_its_department_and_its_visit_is_noted(graphql: GraphQLClient):
    who, of = await council()

    answer = await graphql(ONE, {"slug": "stats_cd_iae"}, as_=who, of=of)

    said = locked_in(answer.data["dashboard"]["embedUrl"])
    assert said["params"] == {"d%C3%A9partement": "57 - Moselle", "r%C3%A9gion": "Grand Est"}
    visit = await DashboardVisit.get()
    assert (visit.dashboard_id, visit.slug, visit.department, visit.region) == (118, "stats_cd_iae", "57", "Grand Est")
    assert (visit.user_kind, visit.user_id, visit.organization_id) == (UserKind.PRESCRIBER, who.id, of.id)


@pytest.mark.parametrize("changes", [{"is_brsa": True}, {"is_authorized": False}, {"department": ""}])
async def test_who_may_not_is_refused_and_nothing_is_signed_or_asked(
    graphql: GraphQLClient, metabase: Metabase, changes: dict[str, Any]
):
    who, of = await council(**changes)

    answer = await graphql(ONE, {"slug": "stats_cd_iae"}, as_=who, of=of)

    assert (answer.body["data"], answer.codes) == ({"dashboard": None}, ["FORBIDDEN"])
    assert metabase.asked == []


async def test_all_companies_of_an_employer_are_locked_and_no_company_they_left(graphql: GraphQLClient):
    first, second, left = [await make_company(asp_id=asp_id) for asp_id in (41, 42, 43)]
    who = await make_employer(first)
    await make_membership(who, second)
    await make_membership(who, left, ended_at=datetime.now(UTC))

    answer = await graphql(ONE, {"slug": "stats_siae_hiring"}, as_=who, of=first)

    locked = locked_in(answer.data["dashboard"]["embedUrl"])["params"]
    assert locked == {"identifiant_de_la_structure_(c1)": [str(first.number), str(second.number)]}


async def test_a_company_without_convention_has_no_dashboards_and_an_eiti_not_all(graphql: GraphQLClient):
    without, eiti = await make_company(asp_id=None), await make_company(asp_id=44, kind=CompanyKind.EITI)

    answers = [await graphql(LIST, as_=await make_employer(company), of=company) for company in (without, eiti)]

    slugs = [{shown["slug"] for shown in answer.data["dashboards"]} for answer in answers]
    assert slugs[0] == {"stats_public"}
    assert "stats_siae_hiring" in slugs[1]
    assert "stats_siae_beneficiaries" not in slugs[1]


async def test_a_local_mission_is_shown_all_of_its_kind_in_the_department_and_a_probation_service_is_not(
    graphql: GraphQLClient,
):
    mission, other = [await make_prescriber_organization(kind=PrescriberKind.ML) for _ in range(2)]
    await make_prescriber_organization(kind=PrescriberKind.ML, department="67")
    probation = await make_prescriber_organization(kind=PrescriberKind.SPIP)
    slug = {"slug": "stats_ph_state_main"}

    allowed = await graphql(ONE, slug, as_=await make_prescriber(mission), of=mission)
    refused = await graphql(ONE, slug, as_=await make_prescriber(probation), of=probation)

    locked = locked_in(allowed.data["dashboard"]["embedUrl"])["params"]
    assert locked["id_prescripteur"] == [str(number) for number in sorted((mission.number, other.number))]
    assert refused.codes == ["FORBIDDEN"]


async def test_staff_sees_the_service_and_other_kinds_do_not(graphql: GraphQLClient):
    dgefp = await make_institution(kind=InstitutionKind.DGEFP_IAE)
    inspector, staff = await make_labor_inspector(dgefp), await make_user(UserKind.STAFF)

    async def codes(slug: str, who: User | None, of: Organization | None = None) -> list[str]:
        return (await graphql(ONE, {"slug": slug}, as_=who, of=of)).codes

    assert await codes("stats_staff_service_indicators", staff) == []
    assert await codes("stats_staff_service_indicators", inspector, dgefp) == ["FORBIDDEN"]
    assert await codes("stats_dreets_iae_hiring", inspector, dgefp) == ["FORBIDDEN"]
    assert await codes("stats_cd_iae", None) == ["UNAUTHENTICATED"]


async def test_a_slug_that_there_is_not_is_null(graphql: GraphQLClient):
    answer = await graphql(ONE, {"slug": "stats_of_nothing"})

    assert answer.body == {"data": {"dashboard": None}}


async def test_a_list_with_its_visits_costs_three_statements_however_many_dashboards(graphql: GraphQLClient):
    company = await make_company(asp_id=45)
    who = await make_employer(company)

    answer = await graphql(LIST, as_=who, of=company)

    assert len(answer.data["dashboards"]) == 6
    # Who asks, what the rules of dashboards ask about them, and the visits.
    assert answer.statements == 3
    assert await DashboardVisit.all().count() == 6


async def test_without_metabase_addresses_are_empty_and_cards_say_that_it_is_off(
    engine: GraphQLEngine, resources: Resources
):
    async with serve(engine, replace(resources, dashboards=Dashboards())) as graphql:
        answer = await graphql("{ dashboards { slug embedUrl cards { id } } }")

    assert answer.body["data"] == {"dashboards": [{"slug": "stats_public", "embedUrl": "", "cards": None}]}
    [error] = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("PARTNER_UNAVAILABLE", "NOT_CONFIGURED")


@pytest.mark.parametrize(
    ("listing", "reason"),
    [
        (httpx.Response(400, text="You must specify a value for :x in the JWT."), "STATS_MISCONFIGURED"),
        (httpx.Response(400, text="Message seems corrupt or manipulated"), "STATS_UNAVAILABLE"),
        (httpx.Response(503, text="<html>"), "STATS_UNAVAILABLE"),
        (httpx.Response(404, text="Not found."), "STATS_NOT_FOUND"),
    ],
)
async def test_cards_that_cannot_be_listed_say_why_and_the_rest_is_shown(
    graphql: GraphQLClient, metabase: Metabase, listing: httpx.Response, reason: str
):
    metabase.listing = listing

    answer = await graphql("{ dashboards { slug embedUrl cards { id } } }")

    [shown] = answer.body["data"]["dashboards"]
    assert shown["cards"] is None
    assert shown["embedUrl"].startswith(SITE)
    assert answer.body["errors"][0]["extensions"]["reason"] == reason


# -- exports


@pytest.mark.parametrize("file_format", FILES)
async def test_a_file_is_metabases_own_with_the_locked_filters_of_the_viewer(
    graphql: GraphQLClient, exports: httpx.AsyncClient, metabase: Metabase, file_format: str
):
    who, of = await council()
    url = await link_to(graphql, "stats_cd_iae", file_format, who, of)

    answer = await exports.get(url)

    assert (answer.status_code, answer.content) == (200, FILES[file_format][1])
    assert answer.headers["content-type"].startswith(FILES[file_format][0])
    assert answer.headers["content-disposition"].startswith('attachment; filename="stats_cd_iae-candidatures-par-mois-')
    assert answer.headers["content-disposition"].endswith(f'.{file_format}"')
    assert answer.headers["cache-control"] == "no-store"
    [request] = metabase.exported
    assert request.url.path.endswith(f"/dashcard/7012/card/4310/{file_format}")
    assert locked_in(request.url.path)["params"] == {"d%C3%A9partement": "57 - Moselle", "r%C3%A9gion": "Grand Est"}
    assert "x-api-key" not in request.headers
    assert "eyJ" not in answer.text


@pytest.mark.parametrize("rows", [ROWS, b"[]"])
async def test_a_picture_is_drawn_from_the_same_rows(
    graphql: GraphQLClient, exports: httpx.AsyncClient, metabase: Metabase, rows: bytes
):
    who, of = await council()
    url = await link_to(graphql, "stats_cd_iae", "png", who, of)
    metabase.answer = httpx.Response(200, headers={"Content-Type": "application/json"}, content=rows)

    answer = await exports.get(url)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(PNG_SIGNATURE)
    assert (int.from_bytes(answer.content[16:20]), int.from_bytes(answer.content[20:24])) == (1200, 675)
    assert [request.url.path.rsplit("/")[-1] for request in metabase.exported] == ["json"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"card_id": 7011}, 404, "NOT_FOUND"),
        ({"card_id": 9999}, 404, "NOT_FOUND"),
        ({"file_format": "pdf"}, 400, "BAD_FORMAT"),
        ({"slug": "stats_of_nothing"}, 404, "NOT_FOUND"),
        ({"slug": "stats_cd_iae"}, 401, "UNAUTHENTICATED"),
    ],
)
async def test_what_is_not_there_is_refused_before_any_data_is_asked_for(
    exports: httpx.AsyncClient, links: ExportLinks, metabase: Metabase, changes: dict[str, Any], status: int, code: str
):
    values: dict[str, Any] = {"slug": "stats_public", "card_id": 7012, "file_format": "csv"} | changes
    ticket = ExportTicket(**values, user_id=None, organization_id=None)

    answer = await exports.get(links.url_for(ticket, now=datetime.now(UTC)))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert metabase.exported == []


async def test_a_link_that_expired_or_was_changed_opens_nothing(exports: httpx.AsyncClient, links: ExportLinks):
    ticket = ExportTicket(slug="stats_public", card_id=7012, file_format="csv", user_id=None, organization_id=None)
    old = links.url_for(ticket, now=datetime.now(UTC) - timedelta(minutes=6))

    statuses = [(await exports.get(url)).status_code for url in (old, f"{old[:-5]}xxxxx", "/exports/nothing")]

    assert statuses == [410, 404, 404]


async def test_a_look_at_the_head_of_a_file_asks_metabase_nothing(
    exports: httpx.AsyncClient, links: ExportLinks, metabase: Metabase
):
    ticket = ExportTicket(slug="stats_public", card_id=7012, file_format="csv", user_id=None, organization_id=None)

    answer = await exports.head(links.url_for(ticket, now=datetime.now(UTC)))

    assert (answer.status_code, answer.content, metabase.asked) == (200, b"", [])
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("width", ["399", "2401", "a", "9" * 5_000])
async def test_a_width_that_no_picture_has_is_refused(exports: httpx.AsyncClient, links: ExportLinks, width: str):
    ticket = ExportTicket(slug="stats_public", card_id=7012, file_format="png", user_id=None, organization_id=None)

    answer = await exports.get(links.url_for(ticket, now=datetime.now(UTC)), params={"width": width})

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")


async def test_a_membership_that_ended_since_ends_the_link(
    graphql: GraphQLClient, exports: httpx.AsyncClient, metabase: Metabase
):
    who, of = await council()
    url = await link_to(graphql, "stats_cd_iae", "csv", who, of)
    await Membership.filter(user_id=who.id).update(ended_at=datetime.now(UTC))

    answer = await exports.get(url)

    assert (answer.status_code, answer.json()["code"], metabase.exported) == (403, "FORBIDDEN", [])


async def test_a_link_follows_the_rights_of_now_and_not_of_when_it_was_made(
    graphql: GraphQLClient, exports: httpx.AsyncClient, metabase: Metabase
):
    who, of = await council()
    url = await link_to(graphql, "stats_cd_iae", "csv", who, of)
    of.department = "67"
    await of.save(update_fields=["department"])

    await exports.get(url)

    assert locked_in(metabase.exported[0].url.path)["params"]["d%C3%A9partement"] == "67 - Bas-Rhin"


async def test_somebody_else_who_signs_in_cannot_use_the_link(
    graphql: GraphQLClient, exports: httpx.AsyncClient, metabase: Metabase
):
    who, of = await council()
    url = await link_to(graphql, "stats_cd_iae", "csv", who, of)
    other = await make_user(UserKind.STAFF)

    theirs = await exports.get(url, headers={"Authorization": f"Bearer {token_for(other)}"})
    own = await exports.get(url, headers={"Authorization": f"Bearer {token_for(who, of)}"})

    assert [theirs.status_code, own.status_code, len(metabase.exported)] == [403, 200, 1]


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (httpx.Response(202, json={"error": "boom"}), 502, "STATS_QUERY_FAILED"),
        (httpx.Response(400, text="You must specify a value for :x in the JWT."), 502, "STATS_MISCONFIGURED"),
        (httpx.Response(503, text="<html>"), 503, "STATS_UNAVAILABLE"),
    ],
)
async def test_an_export_that_fails_says_how_in_french(
    exports: httpx.AsyncClient, links: ExportLinks, metabase: Metabase, answer: httpx.Response, status: int, code: str
):
    ticket = ExportTicket(slug="stats_public", card_id=7012, file_format="json", user_id=None, organization_id=None)
    metabase.answer = answer

    refused = await exports.get(links.url_for(ticket, now=datetime.now(UTC)))

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert "boom" not in refused.text


async def test_a_body_that_breaks_is_never_ended_as_if_it_were_whole(
    dashboards: Dashboards, links: ExportLinks, metabase: Metabase
):
    """As the server sees it: it cuts the connection of an answer whose end was never sent."""
    ticket = ExportTicket(slug="stats_public", card_id=7012, file_format="csv", user_id=None, organization_id=None)
    metabase.answer = httpx.Response(200, headers={"Content-Type": "text/csv"}, stream=Broken())
    endpoint = ExportsEndpoint(dashboards, links, TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY))
    sent: list[Any] = []

    async def receive() -> Any:
        await never.wait()

    async def send(message: Any) -> None:
        sent.append(message)

    never = asyncio.Event()
    token = links.token_for(ticket, now=datetime.now(UTC))
    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await endpoint(scope | {"path_params": {"token": token}, "client": ("127.0.0.1", 1)}, receive, send)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["more_body"] is True
