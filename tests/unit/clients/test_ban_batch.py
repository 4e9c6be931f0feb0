"""Geocoding a file: what is sent, and how results find their rows."""

from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import httpx
import pytest

from clients.ban import (
    MAX_BATCH_ROWS,
    BatchAddress,
    BatchResult,
    GeocodingOutcome,
    Position,
    geocoding_outcome,
)
from clients.errors import PartnerError
from tests.unit.clients.ban import Geocoder, geocoder_within, in_turn
from tests.unit.clients.partner_faults import FAULTS, Fault

ROWS = (
    BatchAddress(key="17", address_line_1="20 avenue Inventée", post_code="57000"),
    BatchAddress(key="18", address_line_1="Rue qui n'existe; nulle\npart", post_code="57000"),
)
HEADER = "pk;address_line_1;post_code;result_label;result_score;latitude;longitude;result_citycode"
FOUND = "17;20 avenue Inventée;57000;20 Avenue Inventée 57000 Metz;0.97;49.1;6.1;57463"
NOT_FOUND = '18;"Rue qui n\'existe; nulle part";57000;;;;;'
NOTHING = BatchResult(score=0.0, position=None, label=None, insee_code=None)


@pytest.fixture
async def geocoder() -> AsyncIterator[Geocoder]:
    async with geocoder_within() as geocoder:
        geocoder.batch.mock(return_value=answer(HEADER, FOUND, NOT_FOUND))
        yield geocoder


def answer(*lines: str, end: str = "\n") -> httpx.Response:
    return httpx.Response(200, content="".join(line + end for line in lines).encode())


def parts_of(request: httpx.Request) -> list[Message]:
    mail = b"Content-Type: " + request.headers["Content-Type"].encode() + b"\r\n\r\n" + request.content
    return [part for part in message_from_bytes(mail).walk() if not part.is_multipart()]


async def outcome_of(geocoder: Geocoder) -> GeocodingOutcome:
    with pytest.raises(PartnerError) as caught:
        await geocoder.client.geocode_batch(ROWS)
    return geocoding_outcome(caught.value)


async def test_a_file_is_sent_as_csv_with_the_columns_by_name(geocoder: Geocoder):
    await geocoder.client.geocode_batch(ROWS)

    sent: list[tuple[Any, bytes]] = [
        (part.get_param("name", header="Content-Disposition"), bytes(part.get_payload(decode=True)))
        for part in parts_of(geocoder.batch.calls.last.request)
    ]
    assert sent == [
        ("columns", b"address_line_1"),
        ("columns", b"post_code"),
        *(
            ("result_columns", column)
            for column in (b"result_label", b"result_score", b"latitude", b"longitude", b"result_citycode")
        ),
        (
            "data",
            "pk;address_line_1;post_code\n17;20 avenue Inventée;57000\n"
            '18;"Rue qui n\'existe; nulle part";57000\n'.encode(),
        ),
    ]


async def test_each_row_gets_its_result_and_one_without_has_the_score_0(geocoder: Geocoder):
    results = await geocoder.client.geocode_batch(ROWS)

    assert results == {
        "17": BatchResult(
            score=0.97,
            position=Position(latitude=49.1, longitude=6.1),
            label="20 Avenue Inventée 57000 Metz",
            insee_code="57463",
        ),
        "18": NOTHING,
    }


async def test_rows_are_matched_by_key_and_not_by_position(geocoder: Geocoder):
    geocoder.batch.mock(return_value=answer(HEADER, NOT_FOUND, "", FOUND, end="\r\n"))

    results = await geocoder.client.geocode_batch(ROWS)

    assert (results["17"].score, results["18"]) == (0.97, NOTHING)


async def test_no_rows_cost_no_call(geocoder: Geocoder):
    assert await geocoder.client.geocode_batch([]) == {}
    assert geocoder.batch.call_count == 0


@pytest.mark.parametrize(
    "lines",
    [
        (HEADER, FOUND),
        (HEADER, FOUND, NOT_FOUND, "19;;;;;;;"),
        (HEADER, FOUND, FOUND, NOT_FOUND),
        (HEADER, FOUND, NOT_FOUND[:-1]),
        (HEADER, FOUND, NOT_FOUND + ";"),
        (HEADER, FOUND.replace("0.97", "high"), NOT_FOUND),
        (HEADER, FOUND.replace("0.97", "nan"), NOT_FOUND),
        (HEADER, FOUND.replace(";49.1;", ";6895000.2;"), NOT_FOUND),
        (HEADER.replace("result_score", "score"), FOUND, NOT_FOUND),
        ("<html>", "<h1>Maintenance</h1>"),
        (),
    ],
    ids=[
        "cut after a row",
        "a row that nobody sent",
        "a row twice",
        "a cell short",
        "a cell more",
        "score in words",
        "score not a number",
        "coordinates in metres",
        "another header",
        "HTML",
        "nothing",
    ],
)
async def test_an_answer_that_is_not_the_table_of_what_was_sent_is_a_bad_response(
    geocoder: Geocoder, lines: tuple[str, ...]
):
    geocoder.batch.mock(return_value=answer(*lines))

    assert await outcome_of(geocoder) is GeocodingOutcome.GEOCODING_BAD_RESPONSE
    assert geocoder.batch.call_count == 1


async def test_an_answer_that_is_not_text_is_a_bad_response(geocoder: Geocoder):
    geocoder.batch.respond(200, content=HEADER.encode() + b"\n17;\xff\xfe")

    assert await outcome_of(geocoder) is GeocodingOutcome.GEOCODING_BAD_RESPONSE


async def test_a_refused_file_is_invalid(geocoder: Geocoder):
    geocoder.batch.respond(400, json={"code": 400, "message": "Failed parsing query", "detail": ["columns"]})

    assert await outcome_of(geocoder) is GeocodingOutcome.INVALID_ADDRESS


async def test_a_batch_that_fails_is_sent_once_more(geocoder: Geocoder):
    geocoder.batch.mock(side_effect=in_turn(httpx.Response(502), answer(HEADER, FOUND, NOT_FOUND)))

    results = await geocoder.client.geocode_batch(ROWS)

    assert results["17"].score == 0.97
    assert geocoder.pauses == [0.5]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_of_the_service_has_its_outcome_for_a_file_too(fault: Fault):
    async with geocoder_within(fault.deadline_seconds) as geocoder:
        geocoder.batch.mock(**fault.answers())

        outcome = await outcome_of(geocoder)

        assert geocoder.batch.call_count == (2 if fault.is_repeated else 1)
    is_unreadable = fault.code in {"invalid_json", "unexpected_shape"}  # neither is CSV
    assert outcome is (
        GeocodingOutcome.GEOCODING_BAD_RESPONSE if is_unreadable else GeocodingOutcome.GEOCODING_UNAVAILABLE
    )


@pytest.mark.parametrize("keys", [("17", "17"), ("17", ""), ("17", " 18")])
async def test_keys_that_cannot_tell_rows_apart_are_an_error_of_ours(geocoder: Geocoder, keys: tuple[str, str]):
    rows = [BatchAddress(key=key, address_line_1="rue", post_code="57000") for key in keys]

    with pytest.raises(ValueError, match="keys of rows"):
        await geocoder.client.geocode_batch(rows)


async def test_more_rows_than_one_call_takes_are_an_error_of_ours(geocoder: Geocoder):
    rows = [BatchAddress(key=f"{key}", address_line_1="rue", post_code="") for key in range(MAX_BATCH_ROWS + 1)]

    with pytest.raises(ValueError, match="split them"):
        await geocoder.client.geocode_batch(rows)


def test_rows_and_results_print_no_address():
    result = BatchResult(score=0.97, position=Position(latitude=49.1, longitude=6.1), label="rue", insee_code="57463")

    printed = f"{ROWS!r} {result!r}"

    assert all(word not in printed for word in ("avenue", "rue", "57000", "57463", "49.1"))
