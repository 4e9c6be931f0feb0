"""Searching the directory: what is asked, how pages are walked, and what each answer becomes."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from clients.data_inclusion import (
    DataInclusionMisconfigured,
    DataSource,
    DirectoryFailure,
    FoundStructures,
    Location,
    Structure,
    StructureReference,
    directory_failure,
)
from clients.errors import PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from tests.unit.clients.data_inclusion import (
    CONFIG,
    LOCAL_MISSION,
    MOSELLE,
    SERVICES_URL,
    SOURCES,
    SOURCES_URL,
    STRUCTURES_URL,
    TOKEN,
    UID,
    WORKSHOP,
    Directory,
    directory_with,
    page,
)
from tests.unit.clients.partner_faults import FAULTS, Fault


@pytest.fixture
async def directory() -> AsyncIterator[Directory]:
    async with directory_with() as directory:
        yield directory


async def search(directory: Directory, **changes: Any) -> FoundStructures:
    arguments: dict[str, Any] = {"location": MOSELLE, "sources": SOURCES} | changes
    return await directory.client.search_structures(arguments.pop("location"), **arguments)


async def error_of(directory: Directory) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await search(directory)
    return caught.value


def ids(found: FoundStructures) -> list[str]:
    return [structure.id for structure in found.structures]


async def test_a_search_sends_the_place_and_each_source_as_a_key_of_its_own(directory: Directory):
    found = await search(directory)

    assert directory.queries() == [
        [
            ("code_departement", "57"),
            ("sources", "dora"),
            ("sources", "mission-locale"),
            ("page", "1"),
            ("size", "1000"),
        ]
    ]
    request = directory.structures.calls.last.request
    assert request.url.path == "/api/v1/structures"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert ids(found) == ["dora--a1", "mission-locale--b2"]
    assert (found.skipped_ids, found.is_complete) == ((), True)


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        (Location(commune_insee_code="57463"), ("code_commune", "57463")),
        (Location(department_code="2A"), ("code_departement", "2A")),
        (Location(region_code="44"), ("code_region", "44")),
    ],
)
async def test_a_place_is_a_commune_a_department_or_a_region(
    directory: Directory, location: Location, sent: tuple[str, str]
):
    await search(directory, location=location, networks=["aci", "ei"])

    (query,) = directory.queries()
    assert query[0] == sent
    assert [value for name, value in query if name == "reseaux_porteurs"] == ["aci", "ei"]


@pytest.mark.parametrize("codes", [{}, {"department_code": ""}, {"department_code": "57", "region_code": "44"}])
def test_no_place_or_two_of_them_is_no_location(codes: dict[str, str]):
    with pytest.raises(ValueError, match="a commune, a department or a region"):
        Location(**codes)


async def test_a_structure_is_read_whole(directory: Directory):
    found = await search(directory)

    workshop, mission = found.structures
    assert workshop == Structure(
        id="dora--a1",
        source="dora",
        name="Atelier Deux-Roues",
        updated_on=date(2026, 9, 14),
        description="Prêt de <b>scooters</b>.",
        siret="90210010800018",
        address_line_1="3 rue des Tilleuls Inventés",
        address_line_2=None,
        commune="Metz",
        post_code="57000",
        insee_code="57463",
        latitude=49.11,
        longitude=6.17,
        phone="+33300000001",
        email="contact@atelier.example",
        website="https://atelier.example/",
        source_url="https://source.example/a1",
        networks=("mobin",),
        quality_score=0.82,
        duplicates=(),
    )
    assert (mission.siret, mission.networks) == (None, ())
    assert mission.duplicates == (
        StructureReference(source="emplois-de-linclusion", id=f"emplois-de-linclusion--{UID}"),
    )
    assert mission.own_uids == {UID}
    assert workshop.own_uids == set()


async def test_the_platforms_own_source_is_never_asked_for(directory: Directory):
    await search(directory, sources=["dora", "emplois-de-linclusion", "cd35"])

    assert [value for name, value in directory.queries()[0] if name == "sources"] == ["dora", "cd35"]


@pytest.mark.parametrize("sources", [[], ["emplois-de-linclusion"]])
async def test_without_a_foreign_source_nothing_is_asked(directory: Directory, sources: list[str]):
    found = await search(directory, sources=sources)
    with_themes = await directory.client.structures_with_themes(MOSELLE, sources=sources, themes=["mobilite"])

    assert (found, with_themes) == (FoundStructures(), frozenset())
    assert not directory.router.calls


async def test_the_platforms_own_records_are_dropped_even_when_they_come_unasked(directory: Directory):
    own = WORKSHOP | {"source": "emplois-de-linclusion", "id": f"emplois-de-linclusion--{UID}"}
    disguised = WORKSHOP | {"id": "emplois-de-linclusion--x"}
    directory.structures.respond(200, json=page(own, WORKSHOP, disguised))

    assert ids(await search(directory)) == ["dora--a1"]


async def test_all_pages_are_fetched_and_what_comes_twice_is_kept_once(directory: Directory):
    other = WORKSHOP | {"id": "dora--a2"}
    directory.structures.mock(
        side_effect=[
            httpx.Response(200, json=page(WORKSHOP, other, pages=3)),
            httpx.Response(200, json=page(number=2, pages=3)),
            httpx.Response(200, json=page(WORKSHOP | {"nom": "Autre nom"}, LOCAL_MISSION, number=3, pages=3)),
        ]
    )

    found = await search(directory)

    assert ids(found) == ["dora--a1", "dora--a2", "mission-locale--b2"]
    assert found.structures[0].name == "Atelier Deux-Roues"
    assert [dict(query)["page"] for query in directory.queries()] == ["1", "2", "3"]
    assert found.is_complete


@pytest.mark.parametrize("answer", [page(pages=0), page(WORKSHOP, pages=1, total=1)])
async def test_the_last_page_is_known_by_its_number_and_not_by_its_size(directory: Directory, answer: dict[str, Any]):
    directory.structures.respond(200, json=answer)

    await search(directory)

    assert directory.structures.call_count == 1


async def test_a_directory_without_end_is_left_after_200_pages_and_that_is_told(directory: Directory):
    directory.structures.respond(200, json=page(WORKSHOP, pages=10**9))

    with capture_logs() as logs:
        found = await search(directory)

    assert directory.structures.call_count == 200
    assert (ids(found), found.is_complete) == (["dora--a1"], False)
    assert [(entry["event"], entry["is_cut"]) for entry in logs] == [("data_inclusion_search_incomplete", True)]


@pytest.mark.parametrize(
    "odd",
    [
        {"score_qualite": None},
        {"nom": None},
        {"date_maj": "yesterday"},
        {"latitude": "north"},
        {"doublons": [{"id": 1}]},
    ],
)
async def test_a_record_that_cannot_be_read_is_skipped_by_name_and_the_others_kept(
    directory: Directory, odd: dict[str, Any]
):
    directory.structures.respond(200, json=page(WORKSHOP | {"id": "dora--odd"} | odd, "text", LOCAL_MISSION))

    with capture_logs() as logs:
        found = await search(directory)

    assert ids(found) == ["mission-locale--b2"]
    assert found.skipped_ids == ("dora--odd", "without id")
    assert logs[0]["skipped_ids"] == ["dora--odd", "without id"]


@pytest.mark.parametrize(
    ("changes", "attribute", "value"),
    [
        ({"reseaux_porteurs": ["nouveau-reseau"]}, "networks", ("nouveau-reseau",)),
        ({"siret": "902100108"}, "siret", None),
        ({"siret": 90210010800018}, "siret", None),
        ({"doublons": None}, "duplicates", ()),
        ({"inconnu": {"a": 1}}, "name", "Atelier Deux-Roues"),
        ({"date_maj": None}, "updated_on", None),
    ],
)
async def test_what_the_directory_adds_or_lacks_does_not_hide_a_structure(
    directory: Directory, changes: dict[str, Any], attribute: str, value: Any
):
    directory.structures.respond(200, json=page(WORKSHOP | changes))

    found = await search(directory)

    assert getattr(found.structures[0], attribute) == value


async def test_structures_with_a_theme_are_found_through_their_services(directory: Directory):
    services = directory.router.get(SERVICES_URL).mock(
        side_effect=[
            httpx.Response(200, json=page({"id": "s1", "structure_id": "dora--a1"}, {"id": "s2"}, pages=2)),
            httpx.Response(
                200, json=page({"structure_id": "dora--a1"}, {"structure_id": "dora--a3"}, number=2, pages=2)
            ),
        ]
    )

    found = await directory.client.structures_with_themes(MOSELLE, sources=SOURCES, themes=["mobilite", "numerique"])

    assert found == {"dora--a1", "dora--a3"}
    assert directory.queries(services)[0] == [
        ("code_departement", "57"),
        ("sources", "dora"),
        ("sources", "mission-locale"),
        ("thematiques", "mobilite"),
        ("thematiques", "numerique"),
        ("page", "1"),
        ("size", "1000"),
    ]


async def test_the_sources_are_listed_with_their_names(directory: Directory):
    directory.router.get(SOURCES_URL).respond(
        200, json=[{"slug": "dora", "nom": "DORA", "description": "…"}, {"slug": "cd35", "nom": "Ille-et-Vilaine"}]
    )

    assert await directory.client.sources() == (
        DataSource(slug="dora", name="DORA"),
        DataSource(slug="cd35", name="Ille-et-Vilaine"),
    )


async def test_one_structure_is_read_by_its_id_with_its_full_duplicates(directory: Directory):
    route = directory.router.get(f"{STRUCTURES_URL}/dora--a%2F1").respond(
        200, json=WORKSHOP | {"doublons": [LOCAL_MISSION], "services": [{"id": "s1"}]}
    )

    found = await directory.client.structure("dora--a/1")

    assert found is not None
    assert found.duplicates == (StructureReference(source="mission-locale", id="mission-locale--b2"),)
    assert route.call_count == 1


async def test_a_structure_that_is_not_there_is_none(directory: Directory):
    directory.router.get(f"{STRUCTURES_URL}/dora--gone").respond(404, json={"detail": "Not Found"})

    assert await directory.client.structure("dora--gone") is None


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_rings_the_alarm_and_is_not_tried_again(directory: Directory, status: int):
    directory.structures.respond(status, json={"detail": "Unauthorized"})

    error = await error_of(directory)

    assert isinstance(error, DataInclusionMisconfigured)
    assert (error.http_status, directory_failure(error)) == (status, DirectoryFailure.UNAVAILABLE)
    assert (directory.structures.call_count, directory.pauses) == (1, [])


@pytest.mark.parametrize(
    "detail", ["Unknown commune", [{"loc": ["query", "size"], "msg": "too large", "type": "less_than_equal"}]]
)
async def test_a_422_is_about_the_arguments_whatever_its_shape(directory: Directory, detail: object):
    directory.structures.respond(422, json={"detail": detail})

    error = await error_of(directory)

    assert isinstance(error, PartnerRejected)
    assert directory_failure(error) is DirectoryFailure.INVALID_ARGUMENT
    assert directory.structures.call_count == 1


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_a_fault_of_the_directory_means_that_it_is_away(directory: Directory, fault: Fault):
    directory.structures.mock(**fault.answers())

    error = await error_of(directory)

    assert type(error) is fault.kind
    assert (error.code, error.http_status) == (fault.code, fault.http_status)
    assert directory_failure(error) is DirectoryFailure.UNAVAILABLE
    assert directory.pauses == ([1.0] if fault.is_repeated else [])
    assert directory.structures.call_count == (2 if fault.is_repeated else 1)


async def test_a_page_that_fails_once_is_fetched_again_and_the_walk_goes_on(directory: Directory):
    directory.structures.mock(
        side_effect=[
            httpx.Response(200, json=page(WORKSHOP, pages=2)),
            httpx.Response(500),
            httpx.Response(200, json=page(LOCAL_MISSION, number=2, pages=2)),
        ]
    )

    found = await search(directory)

    assert ids(found) == ["dora--a1", "mission-locale--b2"]
    assert [dict(query)["page"] for query in directory.queries()] == ["1", "2", "2"]


async def test_a_rate_limit_is_for_the_caller_to_wait_out(directory: Directory):
    directory.structures.respond(429, headers={"Retry-After": "5"})

    error = await error_of(directory)

    assert isinstance(error, PartnerRateLimited)
    assert (error.retry_after, directory.structures.call_count) == (5, 1)


@pytest.mark.parametrize("path", ["", "/"])
async def test_the_base_address_may_end_with_a_slash_and_no_path_does(path: str):
    async with directory_with(replace(CONFIG, base_url=CONFIG.base_url + path)) as directory:
        await search(directory)

        assert directory.structures.calls.last.request.url.path == "/api/v1/structures"


async def test_the_token_shows_nowhere(directory: Directory, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    directory.structures.respond(401, json={"detail": TOKEN})

    with capture_logs() as logs:
        error = await error_of(directory)

    assert TOKEN not in f"{caplog.text} {logs} {error!r} {vars(error)} {CONFIG!r} {directory.observer.calls}"
    assert isinstance(error, PartnerUnavailable)
    assert error.__context__ is None
