"""The simulated Metabase, alone and with the real client: both sides read the same contract."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import httpx
import jwt
import pytest

from clients.errors import PartnerRateLimited, PartnerUnavailable
from clients.metabase import (
    CardRows,
    DashboardCard,
    DashboardScope,
    ExportFormat,
    Filter,
    MetabaseClient,
    MetabaseConfig,
    MetabaseRejected,
    StatsFailure,
)
from clients.repeat import Repeat
from sandbox.app import Sandbox
from sandbox.metabase.dashboards import DASHBOARDS
from sandbox.metabase.settings import SECRET_KEY
from tests.unit.sandbox.conftest import SandboxTime

CONFIG = MetabaseConfig(
    site_url="http://sandbox/metabase", secret_key=SECRET_KEY, repeat=Repeat(failure_pause_seconds=0.0)
)
MOSELLE = DashboardScope(dashboard_id=310, locked={Filter.DEPARTMENT: "57 - Moselle", Filter.REGION: "Grand Est"})
GRAND_EST = DashboardScope(
    dashboard_id=310,
    locked={
        Filter.DEPARTMENT: ["57 - Moselle", "67 - Bas-Rhin", "88 - Vosges"],
        Filter.REGION: "Grand Est",
    },
)


@pytest.fixture
def client(http: httpx.AsyncClient, time: SandboxTime) -> MetabaseClient:
    return client_of(http, time)


def client_of(http: httpx.AsyncClient, time: SandboxTime, **changes: Any) -> MetabaseClient:
    return MetabaseClient(replace(CONFIG, **changes), http, now=lambda: time.now + time.elapsed)


async def card_of(client: MetabaseClient, scope: DashboardScope, display: str) -> DashboardCard:
    return next(card for card in await client.cards(scope) if card.display == display)


async def export(client: MetabaseClient, scope: DashboardScope, display: str, file_format: ExportFormat) -> bytes:
    card = await card_of(client, scope, display)
    async with await client.open_export(scope, card, file_format) as stream:
        return b"".join([piece async for piece in stream])


async def refusal_of(client: MetabaseClient, scope: DashboardScope) -> MetabaseRejected:
    with pytest.raises(MetabaseRejected) as caught:
        await client.cards(scope)
    return caught.value


def set_up(sandbox: Sandbox, **changes: Any) -> None:
    sandbox.partners["metabase"].change_settings(changes)


async def test_a_dashboard_has_four_cards_and_a_heading_that_is_none(client: MetabaseClient):
    cards = await client.cards(MOSELLE)

    assert [card.display for card in cards] == ["bar", "scalar", "pie", "table"]
    assert [card.id for card in cards] == [3101, 3102, 3103, 3104]
    assert len({card.card_id for card in cards}) == 4


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=[str(id_) for id_ in DASHBOARDS])
async def test_every_dashboard_opens_with_the_filters_that_it_locks_and_not_without_one(
    client: MetabaseClient, dashboard: Any
):
    locked: dict[str, str | int | list[str]] = dict.fromkeys(dashboard.locked, "17")
    scope = DashboardScope(dashboard_id=dashboard.id, locked=locked)

    assert len(await client.cards(scope)) == 4
    for name in dashboard.locked:
        others = {key: value for key, value in locked.items() if key != name}
        error = await refusal_of(client, DashboardScope(dashboard_id=dashboard.id, locked=others))
        assert (error.failure, error.filter_name) == (StatsFailure.MISCONFIGURED, name)


async def test_rows_are_those_of_the_locked_departments_only(client: MetabaseClient):
    one = await client.rows(MOSELLE, await card_of(client, MOSELLE, "table"))
    three = await client.rows(GRAND_EST, await card_of(client, GRAND_EST, "table"))

    assert one.columns == ("Mois", "Département", "Région", "Candidatures")
    assert {str(row[1]) for row in one.rows} == {"57 - Moselle"}
    assert {str(row[1]) for row in three.rows} == {"57 - Moselle", "67 - Bas-Rhin", "88 - Vosges"}
    assert (one.total, three.total) == (12, 36)
    assert [row[0] for row in one.rows][::11] == ["2025-03-01", "2026-02-01"]


async def test_figures_agree_between_cards(client: MetabaseClient):
    months = await client.rows(GRAND_EST, await card_of(client, GRAND_EST, "bar"))
    total = await client.rows(GRAND_EST, await card_of(client, GRAND_EST, "scalar"))
    shares = await client.rows(GRAND_EST, await card_of(client, GRAND_EST, "pie"))

    assert len(months.rows) == 12
    assert sum(int(str(row[1])) for row in months.rows) == sum(int(str(row[1])) for row in shares.rows)
    assert total.rows == ((sum(int(str(row[1])) for row in shares.rows),),)


@pytest.mark.parametrize(
    ("dashboard_id", "department", "has_rows"),
    [(310, "57 - Moselle", True), (310, "57", False), (573, "57", True), (573, "57 - Moselle", False)],
)
async def test_a_department_written_otherwise_than_in_the_data_matches_nothing(
    client: MetabaseClient, dashboard_id: int, department: str, has_rows: bool
):
    locked: dict[str, str | int | list[str]] = {Filter.DEPARTMENT: [department]}
    if dashboard_id == 310:
        locked[Filter.REGION] = "Grand Est"
    scope = DashboardScope(dashboard_id=dashboard_id, locked=locked)

    for card in await client.cards(scope):
        rows = await client.rows(scope, card)
        assert bool(rows.rows) is has_rows
        assert rows.total is not None


async def test_rows_by_id_are_those_of_the_token(client: MetabaseClient):
    scope = DashboardScope(dashboard_id=185, locked={Filter.COMPANY_ID: ["17", "18"]})

    shares = await client.rows(scope, await card_of(client, scope, "pie"))

    assert [row[0] for row in shares.rows] == ["17", "18"]


async def test_csv_holds_raw_values(client: MetabaseClient):
    body = await export(client, MOSELLE, "table", ExportFormat.CSV)

    lines = body.decode().splitlines()
    assert lines[0] == "Mois,Département,Région,Candidatures"
    assert lines[1].startswith("2025-03-01,57 - Moselle,Grand Est,")
    assert len(lines) == 13


async def test_xlsx_is_a_workbook_with_the_same_rows(client: MetabaseClient):
    body = await export(client, MOSELLE, "table", ExportFormat.XLSX)
    again = await export(client, MOSELLE, "table", ExportFormat.XLSX)

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))  # noqa: S314 - our own file
    rows = [[cell.findtext(".//{*}t") or cell.findtext("{*}v") for cell in row] for row in sheet.findall(".//{*}row")]
    assert rows[0] == ["Mois", "Département", "Région", "Candidatures"]
    assert rows[1][:3] == ["2025-03-01", "57 - Moselle", "Grand Est"]
    assert len(rows) == 13
    assert body == again


async def test_a_large_export_arrives_whole(client: MetabaseClient, sandbox: Sandbox):
    set_up(sandbox, detail_rows=50_000)
    card = await card_of(client, MOSELLE, "table")

    rows = await client.rows(MOSELLE, card, max_rows=10)
    body = await export(client, MOSELLE, "table", ExportFormat.CSV)

    assert (len(rows.rows), rows.total) == (10, 50_000)
    assert body.count(b"\n") == 50_001


async def test_a_card_without_rows_is_an_empty_file(client: MetabaseClient):
    nowhere = DashboardScope(dashboard_id=573, locked={Filter.DEPARTMENT: "976"})

    assert await export(client, nowhere, "table", ExportFormat.CSV) == b""
    assert await export(client, nowhere, "table", ExportFormat.JSON) == b"[]"
    assert (await export(client, nowhere, "table", ExportFormat.XLSX)).startswith(b"PK")
    assert await client.rows(nowhere, await card_of(client, nowhere, "bar")) == CardRows(columns=(), rows=(), total=0)


async def test_values_are_displayed_in_french_unless_raw_ones_are_asked_for(http: httpx.AsyncClient):
    answer = await http.get(f"/metabase/api/embed/dashboard/{token()}/dashcard/3101/card/103101/json")

    assert answer.json()[0]["Mois"] == "mars 2025"


def token(
    *, key: str = SECRET_KEY, params: Mapping[str, object] | None = None, exp: object = 4_000_000_000, **payload: Any
) -> str:
    default = {"d%C3%A9partement": "57 - Moselle", "r%C3%A9gion": "Grand Est"}
    claims = {"resource": {"dashboard": 310}, "params": default if params is None else params, "exp": exp, **payload}
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm="HS256")


@pytest.mark.parametrize(
    ("sent", "status", "text"),
    [
        ("garbage", 400, "Message seems corrupt or manipulated."),
        (token(key="f" * 64), 400, "Message seems corrupt or manipulated."),
        (token(exp=None), 400, "Message seems corrupt or manipulated."),
        (token(exp="soon"), 400, "Message seems corrupt or manipulated."),
        (token(exp=1_773_826_199), 400, "Token is expired (1773826199)"),
        (token(resource={"dashboard": 1}), 404, "Not found."),
        (token(resource={"question": 310}), 404, "Not found."),
        (token(resource=310), 404, "Not found."),
        (token(params={}), 400, "You must specify a value for :d%C3%A9partement in the JWT."),
        (
            token(params={"d%C3%A9partement": "x", "r%C3%A9gion": "y", "département": "z"}),
            400,
            "Unknown parameter :département.",
        ),
    ],
)
async def test_a_token_that_is_not_right_is_refused_in_metabases_words(
    http: httpx.AsyncClient, sent: str, status: int, text: str
):
    for path in (f"/metabase/api/embed/dashboard/{sent}", f"/metabase/embed/dashboard/{sent}"):
        answer = await http.get(path)

        assert (answer.status_code, answer.text) == (status, text)


async def test_an_empty_locked_filter_shows_everything(http: httpx.AsyncClient):
    everything = token(params={"d%C3%A9partement": [], "r%C3%A9gion": []})

    answer = await http.get(f"/metabase/api/embed/dashboard/{everything}/dashcard/3103/card/103103/json")

    assert len(answer.json()) == 23


@pytest.mark.parametrize(
    ("rest", "status", "text"),
    [
        ("dashcard/3101/card/103101/png", 400, "export-format"),
        ("dashcard/3101/card/103102/csv", 404, "Not found."),
        ("dashcard/3100/card/103100/csv", 404, "Not found."),
        ("dashcard/1181/card/101181/csv", 404, "Not found."),
        ("dashcard/3101/card/103101/csv?r%25C3%25A9gion=x", 400, "in the JWT."),
        ("dashcard/3101/card/103101/csv?other=x", 400, "Unknown parameter :other."),
    ],
)
async def test_what_is_not_on_the_dashboard_or_not_allowed_is_refused(
    http: httpx.AsyncClient, rest: str, status: int, text: str
):
    answer = await http.get(f"/metabase/api/embed/dashboard/{token()}/{rest}")

    assert answer.status_code == status
    assert text in answer.text


async def test_an_address_of_more_than_8_kilobytes_is_refused(http: httpx.AsyncClient):
    answer = await http.get(f"/metabase/api/embed/dashboard/{'x' * 8_200}")

    assert answer.status_code == 431


async def test_a_secret_that_is_not_metabases_needs_an_operator(http: httpx.AsyncClient, time: SandboxTime):
    error = await refusal_of(client_of(http, time, secret_key="f" * 64), MOSELLE)

    assert (error.code, error.failure, error.needs_operator) == ("wrong_secret", StatsFailure.UNAVAILABLE, True)


async def test_a_token_of_an_hour_ago_is_expired_and_signed_again_once(http: httpx.AsyncClient, time: SandboxTime):
    behind = MetabaseClient(CONFIG, http, now=lambda: datetime(2026, 3, 18, 8, 29, tzinfo=UTC))

    error = await refusal_of(behind, MOSELLE)

    assert error.code == "token_expired"
    calls = (await http.get("/_calls", params={"partner": "metabase"})).json()
    assert [call["status"] for call in calls] == [400, 400]


@pytest.mark.parametrize("changes", [{"embedding_enabled": False}, {"hidden_dashboards": [310]}])
async def test_embedding_switched_off_needs_an_operator(
    client: MetabaseClient, sandbox: Sandbox, changes: dict[str, Any]
):
    set_up(sandbox, **changes)

    error = await refusal_of(client, MOSELLE)

    assert (error.code, error.needs_operator) == ("embedding_off", True)


async def test_an_unknown_dashboard_is_not_found(client: MetabaseClient):
    error = await refusal_of(client, DashboardScope(dashboard_id=999))

    assert error.failure is StatsFailure.NOT_FOUND


@pytest.mark.parametrize("file_format", list(ExportFormat))
async def test_a_failing_query_is_told_with_a_202_and_never_handed_on(
    client: MetabaseClient, sandbox: Sandbox, file_format: ExportFormat
):
    card = await card_of(client, MOSELLE, "bar")
    set_up(sandbox, failing_cards=[card.card_id])

    with pytest.raises(MetabaseRejected) as caught:
        await client.open_export(MOSELLE, card, file_format)

    assert (caught.value.failure, caught.value.http_status) == (StatsFailure.QUERY_FAILED, 202)


async def test_the_embedded_page_shows_the_cards(client: MetabaseClient, http: httpx.AsyncClient):
    answer = await http.get(client.embed_url(MOSELLE))

    assert answer.headers["Content-Type"].startswith("text/html")
    for text in ("Suivi des prescriptions", "57 - Moselle", "Candidatures par mois", "mars 2025"):
        assert text in answer.text
    assert "Bas-Rhin" not in answer.text


async def test_a_fault_is_repeated_for_a_listing_and_not_for_a_file(client: MetabaseClient, http: httpx.AsyncClient):
    card = await card_of(client, MOSELLE, "bar")
    await http.post("/_faults", json={"partner": "metabase", "status": 503, "body": "<h1>Maintenance</h1>", "times": 2})

    with pytest.raises(PartnerUnavailable):
        await client.open_export(MOSELLE, card, ExportFormat.CSV)
    cards = await client.cards(MOSELLE)

    assert card in cards


async def test_a_rate_limit_reaches_the_caller(client: MetabaseClient, http: httpx.AsyncClient):
    await http.post("/_faults", json={"partner": "metabase", "status": 429, "headers": {"Retry-After": "30"}})

    with pytest.raises(PartnerRateLimited) as caught:
        await client.cards(MOSELLE)

    assert caught.value.retry_after == 30


async def test_calls_are_noted_with_what_was_asked(client: MetabaseClient, http: httpx.AsyncClient):
    await export(client, MOSELLE, "table", ExportFormat.CSV)

    calls = (await http.get("/_calls", params={"partner": "metabase"})).json()

    assert [(call["code"], call["subject"]) for call in calls] == [("listed", "310"), ("12 rows", "103104")]
