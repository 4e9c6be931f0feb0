"""The simulated geocoder: by itself, and with the real client."""

from typing import Any

import httpx
import pytest

from clients.ban import (
    BANClient,
    BANConfig,
    BatchAddress,
    FoundAddress,
    GeocodingOutcome,
    Position,
    geocoding_outcome,
)
from clients.errors import PartnerError
from sandbox.app import Sandbox
from tests.unit.clients.doubles import RecordingPacer
from tests.unit.sandbox.conftest import SandboxTime

CONFIG = BANConfig(base_url="http://sandbox/ban")
SEARCH = "/ban/geocodage/search/"
CSV = "/ban/geocodage/search/csv/"
METZ_STREET = "12 bis rue des Tilleuls, 57000 Metz"


@pytest.fixture
def client(http: httpx.AsyncClient, time: SandboxTime) -> BANClient:
    async def sleep(seconds: float) -> None:
        time.advance(seconds=seconds)

    return BANClient(CONFIG, http, RecordingPacer(), sleep=sleep)


async def searched(http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await http.get(SEARCH, params=query)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["type"], body["query"]) == ("FeatureCollection", query["q"])
    return body["features"]


async def outcome_of(client: BANClient, address: str, **kwargs: Any) -> GeocodingOutcome:
    with pytest.raises(PartnerError) as caught:
        await client.geocode(address, **kwargs)
    return geocoding_outcome(caught.value)


async def test_the_client_geocodes_an_address(client: BANClient):
    found = await client.geocode(METZ_STREET, post_code="57000")

    assert (found.label, found.name) == ("12bis Rue des Tilleuls 57000 Metz", "12bis Rue des Tilleuls")
    assert (found.number, found.lane, found.kind) == ("12bis", "Rue des Tilleuls", "housenumber")
    assert (found.city, found.post_code, found.insee_code) == ("Metz", "57000", "57463")
    assert found.context == "57, Moselle, Grand Est"
    assert found.score > 0.95
    assert abs(found.position.latitude - 49.1081) <= 0.01
    assert abs(found.position.longitude - 6.1955) <= 0.01


async def test_one_address_is_always_at_the_same_place_and_another_elsewhere(client: BANClient):
    first = await client.geocode(METZ_STREET)
    again = await client.geocode("12 BIS RUE DES TILLEULS 57000 METZ", post_code="57000")
    neighbour = await client.geocode("14 rue des Tilleuls, 57000 Metz")

    assert (first.position, first.id) == (again.position, again.id)
    assert first.position != neighbour.position


async def test_paris_is_told_by_arrondissement(client: BANClient):
    found = await client.geocode("20 avenue de la Gare, 75007 Paris", post_code="75007")
    city = await client.geocode("Paris")

    assert (found.insee_code, found.city) == ("75107", "Paris")
    assert (city.insee_code, city.post_code) == ("75056", None)


@pytest.mark.parametrize(("insee_code", "post_code"), [("97801", "97150"), ("97701", "97133")])
async def test_the_client_finds_overseas_what_is_not_under_its_post_code(
    client: BANClient, http: httpx.AsyncClient, insee_code: str, post_code: str
):
    name = {"97801": "Saint-Martin", "97701": "Saint-Barthélemy"}[insee_code]

    found = await client.geocode(f"1 rue Haute, {post_code} {name}", post_code=post_code)

    assert found.insee_code == insee_code
    assert len((await http.get("/_calls", params={"partner": "ban"})).json()) == 2


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("5 rue Introuvable, 57000 Metz", GeocodingOutcome.ADDRESS_NOT_FOUND),
        ("5 rue Haute, 99999 Nulle-Part", GeocodingOutcome.ADDRESS_NOT_FOUND),
        ("5 rue Incomplète, 57000 Metz", GeocodingOutcome.ADDRESS_LOOKUP_FAILED),
    ],
)
async def test_some_addresses_have_another_outcome(client: BANClient, address: str, outcome: GeocodingOutcome):
    assert await outcome_of(client, address) is outcome


@pytest.mark.parametrize(("street", "score"), [("rue Approximative", 0.55), ("rue Douteuse", 0.31)])
async def test_some_addresses_have_a_low_score(client: BANClient, street: str, score: float):
    assert (await client.geocode(f"5 {street}, 57000 Metz")).score == score


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("rue des Lilas, 57000 Metz", "street", "Rue des Lilas"),
        ("Les Trois Chênes, 57000 Metz", "locality", "Les Trois Chênes"),
        ("57000 Metz", "municipality", "Metz"),
        ("20 rue de Metz, 54000 Nancy", "housenumber", "20 Rue de Metz"),
    ],
)
async def test_the_kind_of_result_follows_what_was_asked(client: BANClient, text: str, kind: str, name: str):
    found = await client.geocode(text)

    assert (found.kind, found.name) == (kind, name)


async def test_the_client_suggests_communes_of_one_name(client: BANClient):
    found = await client.suggest("cernay")

    assert [(address.insee_code, address.choice_label) for address in found] == [
        ("68063", "Cernay (68, Haut-Rhin, Grand Est)"),
        ("86047", "Cernay (86, Vienne, Nouvelle-Aquitaine)"),
        ("14147", "Cernay (14, Calvados, Normandie)"),
        ("28064", "Cernay (28, Eure-et-Loir, Centre-Val de Loire)"),
    ]


@pytest.mark.parametrize(
    ("near", "first"), [(None, "31555"), (Position(latitude=49.1, longitude=6.2), "57463")], ids=["anywhere", "near"]
)
async def test_the_client_completes_a_street_near_a_point_first(client: BANClient, near: Position | None, first: str):
    found = await client.suggest("12 rue des til", near=near, limit=3)

    assert len(found) == 3
    assert (found[0].name, found[0].insee_code) == ("12 Rue des Tilleuls", first)


async def test_the_client_geocodes_a_file(client: BANClient):
    rows = [
        BatchAddress(key="17", address_line_1="20 avenue de la Gare", post_code="57000"),
        BatchAddress(key="18", address_line_1="rue Introuvable; au fond", post_code="57000"),
        BatchAddress(key="19", address_line_1="5 rue Approximative", post_code="54000"),
        BatchAddress(key="20", address_line_1="", post_code=""),
    ]

    results = await client.geocode_batch(rows)
    alone = await client.geocode("20 avenue de la Gare, 57000 Metz")

    assert [results[key].score for key in ("18", "19", "20")] == [0.0, 0.55, 0.0]
    assert results["17"].score > 0.8
    assert (results["17"].position, results["17"].insee_code) == (alone.position, "57463")
    assert results["18"].position is None


async def test_the_client_waits_out_the_penalty_and_is_served(
    client: BANClient, http: httpx.AsyncClient, sandbox: Sandbox
):
    sandbox.partners["ban"].change_settings({"rate_per_second": 2})
    for _ in range(2):
        await client.geocode(METZ_STREET)

    found = await client.geocode(METZ_STREET)

    assert isinstance(found, FoundAddress)
    statuses = [call["status"] for call in (await http.get("/_calls", params={"partner": "ban"})).json()]
    assert statuses == [200, 200, 429, 200]


async def test_the_penalty_is_five_seconds_for_every_path_and_counts_down(
    http: httpx.AsyncClient, sandbox: Sandbox, time: SandboxTime
):
    sandbox.partners["ban"].change_settings({"rate_per_second": 1})
    await http.get(SEARCH, params={"q": "Metz"})

    answers = [await http.get(SEARCH, params={"q": "Metz"})]
    time.advance(seconds=3)
    answers.append(await http.post(CSV))
    time.advance(seconds=2)
    afterwards = await http.get(SEARCH, params={"q": "Metz"})

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(429, "5"), (429, "2")]
    assert afterwards.status_code == 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({}, "q: must contain between 3 and 200 chars and start with a number or a letter"),
        ({"q": "ab"}, "q: must contain between 3 and 200 chars and start with a number or a letter"),
        ({"q": "x" * 201}, "q: must contain between 3 and 200 chars and start with a number or a letter"),
        ({"q": "- rue"}, "q: must contain between 3 and 200 chars and start with a number or a letter"),
        ({"q": "Metz", "limit": "0"}, "limit: must be a number between 1 and 20"),
        ({"q": "Metz", "limit": "21"}, "limit: must be a number between 1 and 20"),
        ({"q": "Metz", "postcode": "5700"}, "postcode: must contain 5 digits"),
        ({"q": "Metz", "citycode": "Metz"}, "citycode: must be an INSEE code"),
        ({"q": "Metz", "type": "city"}, "type: must be one of housenumber, street, locality, municipality"),
        ({"q": "Metz", "autocomplete": "true"}, "autocomplete: must be 0 or 1"),
        ({"q": "Metz", "lat": "49"}, "lat/lon: must be present together"),
        ({"q": "Metz", "index": "poi"}, "index: only address is simulated"),
        ({"q": "Metz", "country": "FR"}, "country: unexpected parameter"),
    ],
)
async def test_wrong_parameters_are_told_apart(http: httpx.AsyncClient, query: dict[str, str], detail: str):
    answer = await http.get(SEARCH, params=query)

    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "message": "Failed parsing query", "detail": [detail]}


async def test_filters_narrow_and_limits_cut(http: httpx.AsyncClient):
    by_code = await searched(http, q="Rue des Lilas", citycode="57463", autocomplete="0")
    by_kind = await searched(http, q="cernay", type="municipality", limit="2")
    contradiction = await searched(http, q="Rue des Lilas", citycode="57463", postcode="54000")

    assert [feature["properties"]["citycode"] for feature in by_code] == ["57463"]
    assert [feature["properties"]["type"] for feature in by_kind] == ["municipality"] * 2
    assert contradiction == []


async def test_an_answer_has_metres_beside_degrees_and_nothing_that_is_null(http: httpx.AsyncClient):
    (feature,) = await searched(http, q="12 rue Haute, 75015 Paris", autocomplete="0")

    properties = feature["properties"]
    assert properties["district"] == "Paris 15e Arrondissement"
    assert properties["x"] > 180
    assert None not in properties.values()


async def test_the_path_without_its_last_slash_answers_too(http: httpx.AsyncClient):
    assert (await http.get(SEARCH.rstrip("/"), params={"q": "Metz"})).status_code == 200


async def test_a_file_may_have_commas_filters_and_every_result_column(http: httpx.AsyncClient):
    data = "id,street,cp\n1,12 rue Haute,54000\n2,,\n"
    form = {"columns": ["street"], "result_columns": ["result_type", "result_city", "result_status"], "postcode": "cp"}

    answer = await http.post(CSV, data=form, files={"data": ("a.csv", data.encode(), "text/csv")})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == (
        "id,street,cp,result_type,result_city,result_status\n1,12 rue Haute,54000,housenumber,Nancy,ok\n2,,,,,skipped\n"
    )


@pytest.mark.parametrize(
    ("form", "content", "detail"),
    [
        ({"columns": ["street"]}, b"id;name\n", "columns: street not in the file"),
        ({"postcode": "cp"}, b"id;name\n", "columns: cp not in the file"),
        ({"result_columns": ["result_colour"]}, b"id;name\n", "result_columns: unknown result_colour"),
        ({}, b"\xff\xfe", "data: not UTF-8"),
    ],
)
async def test_a_file_that_does_not_fit_its_form_is_refused(
    http: httpx.AsyncClient, form: dict[str, Any], content: bytes, detail: str
):
    answer = await http.post(CSV, data=form, files={"data": ("a.csv", content, "text/csv")})

    assert (answer.status_code, answer.json()["detail"]) == (400, [detail])


async def test_a_file_that_is_none_is_refused(http: httpx.AsyncClient):
    as_json = await http.post(CSV, json={"data": "id"})
    without = await http.post(CSV, data={"data": "id"}, files={"other": ("a.csv", b"id", "text/csv")})

    assert [answer.status_code for answer in (as_json, without)] == [400, 400]
