"""The sandbox's own doors: calls, faults, settings, cast."""

from typing import Any

import httpx
import pytest

from clients.france_travail.wire import normalise_last_name
from sandbox.app import Sandbox
from sandbox.calls import CallLog
from sandbox.clock import Clock
from tests.unit.sandbox.conftest import SEARCH, TOKEN, UPDATE, Caller, SandboxTime


async def listed(http: httpx.AsyncClient, **query: Any) -> Any:
    return (await http.get("/_calls", params=query)).json()


async def add_fault(http: httpx.AsyncClient, **fault: Any) -> httpx.Response:
    return await http.post("/_faults", json={"partner": "france-travail", **fault})


async def test_every_call_is_listed_oldest_first_with_what_was_sent_and_answered(
    caller: Caller, http: httpx.AsyncClient
):
    await caller.update(typologiePrescripteur=None)

    token, search, update = await listed(http, partner="france-travail")

    assert (token["path"], token["query"]) == (TOKEN, "realm=%2Fpartenaire")
    assert token["body"]["client_id"] == "PAR_traverse_sandbox"
    assert token["body"]["client_secret"] == "***"
    assert (search["path"], search["code"], search["subject"]) == (SEARCH, "S001", None)
    assert (update["method"], update["path"], update["status"]) == ("POST", UPDATE, 200)
    assert (update["code"], update["subject"]) == ("S000", "999990000017")
    assert update["body"]["typeSIAE"] == 836
    assert update["headers"]["content-type"] == "application/json"
    assert [call["number"] for call in (token, search, update)] == [1, 2, 3]
    assert update["at"].startswith("2026-03-18T09:30:00")


async def test_the_listing_can_be_narrowed_to_a_partner_a_path_and_the_last_ones(
    caller: Caller, http: httpx.AsyncClient
):
    for _ in range(3):
        await caller.search()

    assert len(await listed(http)) == 4
    assert len(await listed(http, partner="ban")) == 0
    assert len(await listed(http, path=SEARCH)) == 3
    assert len(await listed(http, path="/rechercheindividucertifie")) == 3
    assert [call["number"] for call in await listed(http, limit=2)] == [3, 4]
    assert (await http.get("/_calls", params={"limit": "many"})).status_code == 422


async def test_the_summary_counts_how_often_each_approval_got_each_code(caller: Caller, http: httpx.AsyncClient):
    await caller.update()
    await caller.update()
    await caller.update(numPassIAE="999990000018")
    await caller.update(numPassIAE="999990000018", typeSIAE=1)

    summary = await listed(http, partner="france-travail", summary=1)

    assert summary["codes_by_subject"] == {"999990000017": {"S000": 2}, "999990000018": {"S000": 1, "S019": 1}}
    assert summary["total"] == 9
    assert summary["paths"][UPDATE]["calls"] == 4
    assert summary["paths"][UPDATE]["statuses"] == {"200": 4}


async def test_the_summary_tells_the_most_calls_of_any_one_second_of_a_path(
    caller: Caller, http: httpx.AsyncClient, time: SandboxTime
):
    for pause in (0.5, 0.4, 0.05, 0.04, 0.02, 0.99, 1.0):
        await caller.search()
        time.advance(seconds=pause)
    await caller.search()

    summary = await listed(http, summary=1)

    assert summary["paths"][SEARCH]["max_per_second"] == 5
    assert summary["paths"][TOKEN]["max_per_second"] == 1


async def test_forgotten_calls_are_neither_listed_nor_counted(caller: Caller, http: httpx.AsyncClient):
    await caller.update()

    answer = await http.delete("/_calls")

    assert answer.status_code == 204
    assert await listed(http) == []
    assert await listed(http, summary=1) == {"total": 0, "paths": {}, "codes_by_subject": {}}


def test_the_log_keeps_the_last_calls_in_full_and_the_totals_of_all():
    log = CallLog(Clock(), capacity=10)
    for number in range(25):
        record = log.begin(partner="p", method="POST", path="/p/x", query="", headers={}, raw_body=b"{}")
        record.status, record.subject, record.code = 200, f"subject-{number % 2}", "S000"
        log.finish(record)

    assert [call["number"] for call in log.listing()] == [*range(16, 26)]
    assert log.summary()["codes_by_subject"] == {"subject-0": {"S000": 13}, "subject-1": {"S000": 12}}


async def test_a_fault_answers_in_the_place_of_the_partner_as_often_as_it_was_told(
    caller: Caller, http: httpx.AsyncClient
):
    await add_fault(http, status=503, body="<h1>Maintenance</h1>", headers={"Retry-After": "7"}, times=2)

    answers = [await caller.search() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert (answers[0].text, answers[0].headers["Retry-After"]) == ("<h1>Maintenance</h1>", "7")
    assert [call["fault"] for call in await listed(http, path=SEARCH)] == [1, 1, None]
    assert [call["code"] for call in await listed(http, path=SEARCH)] == [None, None, "S001"]


async def test_a_fault_of_one_path_leaves_the_others_alone(caller: Caller, http: httpx.AsyncClient):
    await add_fault(http, path="/maj-pass-iae", status=500)

    assert (await caller.search()).status_code == 200
    assert (await caller.update()).status_code == 500


async def test_a_fault_with_a_json_body_alone_is_a_200_with_that_body(caller: Caller, http: httpx.AsyncClient):
    await add_fault(http, path=SEARCH, body={"codeSortie": "S042"})

    answer = await caller.search()

    assert (answer.status_code, answer.json()) == (200, {"codeSortie": "S042"})


async def test_a_delay_alone_lets_the_partner_answer_afterwards(caller: Caller, http: httpx.AsyncClient):
    await add_fault(http, delay_s=0.03)

    answer = await caller.search()

    (call,) = await listed(http, path=SEARCH)
    assert answer.json()["codeSortie"] == "S001"
    assert call["duration_ms"] >= 30


async def test_a_fault_after_the_act_spoils_the_answer_of_an_update_that_took_effect(
    caller: Caller, http: httpx.AsyncClient
):
    await add_fault(http, path=UPDATE, status=504, when="after", times=1)

    answer = await caller.update()

    (call,) = await listed(http, path=UPDATE)
    assert answer.status_code == 504
    assert (call["status"], call["code"]) == (504, "S000")
    assert (await listed(http, summary=1))["codes_by_subject"] == {"999990000017": {"S000": 1}}


async def test_a_cut_connection_has_no_status_in_the_log(caller: Caller, http: httpx.AsyncClient):
    await add_fault(http, path=SEARCH, disconnect=True)

    with pytest.raises(ConnectionResetError):
        await caller.search()

    (call,) = await listed(http, path=SEARCH)
    assert call["status"] is None
    assert (await listed(http, summary=1))["paths"][SEARCH]["statuses"] == {"cut": 1}


async def test_a_probability_hits_about_that_share_and_the_same_calls_every_time(
    caller: Caller, http: httpx.AsyncClient, sandbox: Sandbox
):
    await add_fault(http, path=SEARCH, status=500, probability=0.3)

    statuses = [(await caller.search()).status_code for _ in range(200)]

    assert 40 <= statuses.count(500) <= 80
    assert (await http.get("/_faults")).json()[0]["applied"] == statuses.count(500)


async def test_cleared_faults_do_nothing_any_more(caller: Caller, http: httpx.AsyncClient):
    await add_fault(http, status=500)

    await http.delete("/_faults")

    assert (await caller.search()).status_code == 200
    assert (await http.get("/_faults")).json() == []


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"partner": "somebody-else", "status": 500},
        {"status": 42},
        {"status": 500, "probability": 2},
        {"status": 500, "times": 0},
        {"headers": {"Retry-After": "1"}, "delay_s": 1},
        {"status": 500, "typo": 1},
    ],
)
async def test_a_fault_that_cannot_be_meant_is_refused_with_a_reason(http: httpx.AsyncClient, fault: dict[str, Any]):
    answer = await add_fault(http, **fault)

    assert answer.status_code == 422
    assert answer.json()["error"]
    assert (await http.get("/_faults")).json() == []


async def test_the_rate_limit_refuses_what_comes_too_fast_and_only_that(
    caller: Caller, http: httpx.AsyncClient, time: SandboxTime
):
    await http.patch("/_settings", json={"partner": "france-travail", "rate_per_second": 2, "retry_after_s": 3})

    answers = [await caller.search() for _ in range(4)]
    time.advance(seconds=1)
    later = await caller.search()

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[2].headers["Retry-After"] == "3"
    assert answers[2].headers["Content-Type"].startswith("text/plain")
    assert later.status_code == 200


async def test_a_latency_slows_every_answer(caller: Caller, http: httpx.AsyncClient):
    await http.patch("/_settings", json={"partner": "france-travail", "latency_s": 0.02})

    await caller.search()

    (call,) = await listed(http, path=SEARCH)
    assert call["duration_ms"] >= 20


@pytest.mark.parametrize(
    "change",
    [
        {"partner": "somebody-else"},
        {"partner": "france-travail", "rate_per_second": 0},
        {"partner": "france-travail", "typo": 1},
        {},
    ],
)
async def test_a_setting_that_does_not_exist_is_refused_and_changes_nothing(
    http: httpx.AsyncClient, change: dict[str, Any]
):
    before = (await http.get("/_settings")).json()

    answer = await http.patch("/_settings", json=change)

    assert answer.status_code == 422
    assert (await http.get("/_settings")).json() == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"partner": "ban", "rate_per_second": 0}, "Expected `int` >= 1 - at `$.rate_per_second`"),
        (
            {"partner": "smtp", "when": 1},
            "Object contains unknown field `when`: "
            "one of latency_s, rate_per_second, retry_after_s, username, password, max_bytes expected",
        ),
        (
            {"partner": "tally", "webhook_url": "http://[::1"},
            "webhook_url: a webhook goes to this machine only, http://127.0.0.1:port/path expected",
        ),
    ],
)
async def test_a_refused_setting_is_named_with_what_was_expected(
    http: httpx.AsyncClient, change: dict[str, Any], sentence: str
):
    assert (await http.patch("/_settings", json=change)).json() == {"error": sentence}


async def test_a_change_leaves_the_other_settings_as_they_were_set(http: httpx.AsyncClient):
    await http.patch("/_settings", json={"partner": "metabase", "hidden_dashboards": ["32"], "retry_after_s": "4"})

    answer = await http.patch("/_settings", json={"partner": "metabase", "latency_s": 0.5})

    shown = answer.json()
    assert (shown["hidden_dashboards"], shown["retry_after_s"], shown["latency_s"]) == ([32], 4, 0.5)
    assert (await http.get("/_settings")).json()["metabase"] == shown


async def test_the_people_have_well_formed_nirs_and_tell_what_they_trigger(http: httpx.AsyncClient, caller: Caller):
    people = (await http.get("/_people")).json()

    assert len({person["nir"] for person in people}) == len(people) >= 20
    for person in people:
        assert 97 - int(person["nir"][:13]) % 97 == int(person["nir"][13:])
        answer = await caller.search(
            nomNaissance=normalise_last_name(person["last_name"]), nirCertifie=person["nir"][:13]
        )
        assert answer.json()["codeSortie"] == person["france_travail"]["search_code"]


async def test_the_companies_have_sirets_with_the_right_check_digit(http: httpx.AsyncClient):
    companies = (await http.get("/_companies")).json()

    assert len({company["siret"] for company in companies}) == len(companies) >= 9
    for company in companies:
        digits = [int(digit) for digit in company["siret"]]
        doubled = [2 * digit - 9 * (digit > 4) if place % 2 == 0 else digit for place, digit in enumerate(digits)]
        assert len(digits) == 14
        assert sum(doubled) % 10 == 0


async def test_an_unknown_partner_or_path_is_404(http: httpx.AsyncClient):
    assert (await http.get("/somebody-else/things")).status_code == 404
    assert (await http.get("/france-travail/things")).status_code == 404
