"""Cards and their rows: what is asked, what is handed on, and what each refusal means."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from clients.errors import PartnerError, PartnerRateLimited, PartnerUnavailable
from clients.metabase import CardRows, DashboardCard, ExportFormat, MetabaseRejected, StatsFailure, stats_failure
from clients.observer import CallOutcome
from tests.unit.clients.metabase import (
    CARD,
    EXP,
    LISTING,
    NO_FILTER,
    ROWS,
    SCOPE,
    Metabase,
    metabase_with,
    payload_of,
)
from tests.unit.clients.partner_faults import FAULTS, Fault

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
async def metabase() -> AsyncIterator[Metabase]:
    async with metabase_with() as metabase:
        yield metabase


async def export(metabase: Metabase, export_format: ExportFormat = ExportFormat.JSON) -> bytes:
    async with await metabase.client.open_export(SCOPE, CARD, export_format) as stream:
        return b"".join([piece async for piece in stream])


async def error_of(metabase: Metabase, export_format: ExportFormat = ExportFormat.JSON) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await export(metabase, export_format)
    return caught.value


async def test_the_cards_of_a_dashboard_are_listed_without_its_texts(metabase: Metabase):
    cards = await metabase.client.cards(SCOPE)

    assert cards == (
        DashboardCard(id=7012, card_id=4310, name="Candidatures par mois", display="bar"),
        DashboardCard(id=7013, card_id=4311, name="Total", display="scalar"),
    )
    (url,) = metabase.urls
    assert payload_of(url) == {
        "resource": {"dashboard": 310},
        "params": {"d%C3%A9partement": "57 - Moselle", "r%C3%A9gion": "Grand Est"},
        "exp": EXP,
    }
    assert "X-API-KEY" not in metabase.listing.calls.last.request.headers


async def test_a_card_is_found_by_its_place_on_the_dashboard(metabase: Metabase):
    assert await metabase.client.card(SCOPE, 7012) == CARD


@pytest.mark.parametrize("id_", [4310, 7011, 999])
async def test_a_card_of_elsewhere_is_not_found_and_no_data_are_asked_for(metabase: Metabase, id_: int):
    with pytest.raises(MetabaseRejected) as caught:
        await metabase.client.card(SCOPE, id_)

    assert stats_failure(caught.value) is StatsFailure.NOT_FOUND
    assert not metabase.export.called


@pytest.mark.parametrize(
    ("export_format", "content_type", "body"),
    [
        (ExportFormat.CSV, "text/csv", b"Mois,Candidatures\n2026-09-01,412\n"),
        (ExportFormat.CSV, "text/csv", b""),
        (ExportFormat.XLSX, XLSX_TYPE, b"PK\x03\x04 and so on"),
        (ExportFormat.JSON, "application/json;charset=utf-8", b'\n [{"a": 1}]'),
        (ExportFormat.JSON, "application/json", b"[]"),
    ],
)
@pytest.mark.parametrize("status", [200, 202])
async def test_a_file_is_handed_on_as_it_comes(
    metabase: Metabase, export_format: ExportFormat, content_type: str, body: bytes, status: int
):
    metabase.export.respond(status, content=body, headers={"Content-Type": content_type})

    assert await export(metabase, export_format) == body

    request = metabase.export.calls.last.request
    assert request.url.path.endswith(f"/dashcard/7012/card/4310/{export_format}")
    assert request.url.query == b"format_rows=false"
    assert request.headers["Accept-Encoding"] == "identity"
    assert "X-API-KEY" not in request.headers
    assert payload_of(str(request.url))["params"] == dict(SCOPE.locked)
    assert [(call.operation, call.outcome) for call in metabase.observer.calls] == [
        (f"export_{export_format}", CallOutcome.OK)
    ]


@pytest.mark.parametrize(
    ("export_format", "content_type"),
    [
        (ExportFormat.CSV, "text/csv; charset=utf-8"),
        (ExportFormat.XLSX, XLSX_TYPE),
        (ExportFormat.JSON, "application/json"),
    ],
)
def test_each_format_has_its_content_type_and_none_is_a_picture(export_format: ExportFormat, content_type: str):
    assert export_format.content_type == content_type
    assert {each.value for each in ExportFormat} == {"csv", "xlsx", "json"}


@pytest.mark.parametrize("export_format", list(ExportFormat))
@pytest.mark.parametrize("status", [200, 202, 400])
async def test_an_error_in_the_place_of_the_file_is_a_failed_query(
    metabase: Metabase, export_format: ExportFormat, status: int
):
    metabase.export.respond(status, json={"error": 'relation "secret_table" does not exist'})

    error = await error_of(metabase, export_format)

    assert isinstance(error, MetabaseRejected)
    assert (error.failure, error.code, error.http_status) == (StatsFailure.QUERY_FAILED, "query_failed", status)
    assert "secret_table" not in f"{error!r} {vars(error)}"


@pytest.mark.parametrize("export_format", [ExportFormat.CSV, ExportFormat.XLSX, ExportFormat.JSON])
async def test_a_page_in_the_place_of_the_file_is_not_handed_on(metabase: Metabase, export_format: ExportFormat):
    metabase.export.respond(200, html="<h1>Sign in</h1>")

    error = await error_of(metabase, export_format)

    assert type(error) is PartnerUnavailable
    assert (error.code, stats_failure(error)) == ("unexpected_shape", StatsFailure.UNAVAILABLE)


@pytest.mark.parametrize(
    ("status", "text", "failure", "code", "filter_name", "needs_operator"),
    [
        (400, "Message seems corrupt or manipulated.", StatsFailure.UNAVAILABLE, "wrong_secret", None, True),
        (400, '"Message seems corrupt or manipulated"', StatsFailure.UNAVAILABLE, "wrong_secret", None, True),
        (400, NO_FILTER, StatsFailure.MISCONFIGURED, "locked_filter", "d%C3%A9partement", True),
        (
            400,
            '{"message": "Unknown parameter :identifiant_de_la_structure_(c1)."}',
            StatsFailure.MISCONFIGURED,
            "locked_filter",
            "identifiant_de_la_structure_(c1)",
            True,
        ),
        (400, "Embedding is not enabled.", StatsFailure.UNAVAILABLE, "embedding_off", None, True),
        (400, "Embedding is not enabled for this object.", StatsFailure.UNAVAILABLE, "embedding_off", None, True),
        (400, "something else", StatsFailure.UNAVAILABLE, "400", None, True),
        (401, "Unauthenticated", StatsFailure.UNAVAILABLE, "401", None, True),
        (403, '{"error": "no"}', StatsFailure.UNAVAILABLE, "403", None, True),
        (404, "Not found.", StatsFailure.NOT_FOUND, "404", None, False),
        (431, "", StatsFailure.UNAVAILABLE, "431", None, True),
    ],
)
async def test_each_refusal_says_what_failed_and_whether_an_operator_must_act(
    metabase: Metabase,
    status: int,
    text: str,
    failure: StatsFailure,
    code: str,
    filter_name: str | None,
    needs_operator: bool,
):
    for route in (metabase.export, metabase.listing):
        route.respond(status, text=text)
    errors = [await error_of(metabase)]
    with pytest.raises(MetabaseRejected) as caught:
        await metabase.client.cards(SCOPE)
    errors.append(caught.value)

    for error in errors:
        assert isinstance(error, MetabaseRejected)
        assert (error.failure, error.code, error.http_status) == (failure, code, status)
        assert (error.filter_name, error.needs_operator) == (filter_name, needs_operator)
    assert (metabase.export.call_count, metabase.listing.call_count) == (1, 1)


@pytest.mark.parametrize("export_format", list(ExportFormat))
async def test_an_expired_token_is_signed_again_once(metabase: Metabase, export_format: ExportFormat):
    metabase.export.respond(400, text="Token is expired (1771407000)")

    error = await error_of(metabase, export_format)

    assert error.code == "token_expired"
    assert metabase.export.call_count == 2


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_a_fault_while_cards_are_listed_means_that_figures_are_away(metabase: Metabase, fault: Fault):
    metabase.listing.mock(**fault.answers())

    with pytest.raises(PartnerUnavailable) as caught:
        await metabase.client.cards(SCOPE)

    assert (caught.value.code, caught.value.http_status) == (fault.code, fault.http_status)
    assert stats_failure(caught.value) is StatsFailure.UNAVAILABLE
    assert metabase.listing.call_count == (2 if fault.is_repeated else 1)


# What is not JSON at all is told by what it is not: the file.
_OF_A_FILE = {"truncated JSON": "query_failed", "wrong shape": "query_failed", "HTML with 200": "unexpected_shape"}


@pytest.mark.parametrize("export_format", [ExportFormat.JSON, ExportFormat.XLSX])
@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.name != "another list"], ids=lambda fault: fault.name
)
async def test_a_fault_before_a_file_begins_is_repeated_for_json_only(
    metabase: Metabase, fault: Fault, export_format: ExportFormat
):
    metabase.export.mock(**fault.answers())

    error = await error_of(metabase, export_format)

    is_half = fault.name == "half a body"
    expected = "query_failed" if is_half else _OF_A_FILE.get(fault.name, fault.code)
    is_repeated = fault.is_repeated and export_format is ExportFormat.JSON and not is_half
    assert error.code == expected
    assert metabase.export.call_count == (2 if is_repeated else 1)


@pytest.mark.parametrize(
    ("export_format", "retry_after", "calls"),
    [(ExportFormat.JSON, "2", 2), (ExportFormat.JSON, "60", 1), (ExportFormat.CSV, "2", 1)],
)
async def test_a_short_rate_limit_is_waited_out_for_json(
    metabase: Metabase, export_format: ExportFormat, retry_after: str, calls: int
):
    metabase.export.respond(429, headers={"Retry-After": retry_after})

    error = await error_of(metabase, export_format)

    assert isinstance(error, PartnerRateLimited)
    assert metabase.export.call_count == calls
    assert metabase.pauses == [2.0] * (calls - 1)


async def test_rows_to_draw_come_with_their_columns_and_their_number(metabase: Metabase):
    rows = await metabase.client.rows(SCOPE, CARD)

    assert rows == CardRows(
        columns=("Mois", "Département", "Candidatures"),
        rows=(("2026-09-01", "57 - Moselle", 412), ("2026-10-01", "57 - Moselle", 398)),
        total=2,
    )
    assert metabase.export.calls.last.request.url.path.endswith("/json")


async def test_of_many_rows_the_first_are_kept_and_all_are_counted(metabase: Metabase):
    metabase.export.respond(200, content=orjson.dumps(ROWS * 5_000))

    rows = await metabase.client.rows(SCOPE, CARD, max_rows=3)

    assert (len(rows.rows), rows.total) == (3, 10_000)


async def test_a_card_without_rows_is_no_failure(metabase: Metabase):
    metabase.export.respond(200, json=[])

    assert await metabase.client.rows(SCOPE, CARD) == CardRows(columns=(), rows=(), total=0)


async def test_rows_without_end_are_no_longer_counted(metabase: Metabase):
    async def endless() -> AsyncIterator[bytes]:
        yield b'[{"a": "x"}'
        while True:
            yield b',{"a": "' + b"y" * 500_000 + b'"}'

    metabase.export.mock(return_value=httpx.Response(200, content=endless()))
    rows = await metabase.client.rows(SCOPE, CARD, max_rows=1)

    assert (rows.rows, rows.total) == ((("x",),), None)


@pytest.mark.parametrize("body", [b'[{"a": 1}', b"[1, 2]", b'[{"a": 1}] again', b'[{"a": \xff}]', b'[{"a": 1},]'])
async def test_rows_that_cannot_be_read_are_recoverable(metabase: Metabase, body: bytes):
    metabase.export.respond(200, content=body)

    with pytest.raises(PartnerUnavailable) as caught:
        await metabase.client.rows(SCOPE, CARD)

    assert (caught.value.code, caught.value.http_status) == ("unexpected_shape", 200)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "answer",
    [
        {"return_value": httpx.Response(200, json=LISTING)},
        {"return_value": httpx.Response(404)},
        {"return_value": httpx.Response(200, json={"cards": "eyJ"})},
        {"side_effect": httpx.ReadTimeout("eyJ")},
    ],
)
async def test_no_token_reaches_a_log_or_an_error(
    metabase: Metabase, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    metabase.listing.mock(**answer)
    left: list[object] = []

    try:
        left.append(await metabase.client.cards(SCOPE))
    except PartnerError as error:
        left.extend((error, repr(error), vars(error), error.__context__, error.__cause__))

    assert left
    assert "eyJ" not in f"{left} {caplog.text} {metabase.observer.calls}"
