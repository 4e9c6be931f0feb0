"""Signed dashboards: what a token says, and what is never signed."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from clients.errors import Delivery
from clients.metabase import DashboardScope, Filter, MetabaseRejected, StatsFailure, stats_failure
from tests.unit.clients.metabase import CONFIG, EXP, SCOPE, SECRET_KEY, Metabase, metabase_with, payload_of


@pytest.fixture
async def metabase() -> AsyncIterator[Metabase]:
    async with metabase_with() as metabase:
        yield metabase


def test_a_public_dashboard_is_signed_for_an_hour_with_no_filter(metabase: Metabase):
    url = metabase.client.embed_url(DashboardScope(dashboard_id=236))

    assert url.startswith("https://stats.example/embed/dashboard/eyJ")
    assert url.endswith("#titled=false")
    assert payload_of(url) == {"resource": {"dashboard": 236}, "params": {}, "exp": EXP}


@pytest.mark.parametrize(
    ("locked", "params"),
    [
        (
            {Filter.DEPARTMENT: "57 - Moselle", Filter.REGION: "Grand Est"},
            {"d%C3%A9partement": "57 - Moselle", "r%C3%A9gion": "Grand Est"},
        ),
        ({Filter.DEPARTMENT: ["57"]}, {"d%C3%A9partement": ["57"]}),
        ({Filter.COMPANY_ID: ["17", "18"]}, {"identifiant_de_la_structure_(c1)": ["17", "18"]}),
        ({Filter.NETWORK_ID: 12}, {"id_r%C3%A9seau": 12}),
    ],
)
def test_locked_filters_are_signed_under_their_percent_encoded_names(
    metabase: Metabase, locked: dict[str, str | int | list[str]], params: dict[str, object]
):
    url = metabase.client.embed_url(DashboardScope(dashboard_id=118, locked=locked))

    assert payload_of(url)["params"] == params


def test_a_title_is_shown_on_demand(metabase: Metabase):
    assert metabase.client.embed_url(SCOPE, is_titled=True).endswith("#titled=true")


@pytest.mark.parametrize("value", ["", [], [""], ["57", ""]])
def test_an_empty_filter_is_refused_since_it_would_show_everything(value: str | list[str]):
    with pytest.raises(ValueError, match="refuse access instead"):
        DashboardScope(dashboard_id=118, locked={Filter.DEPARTMENT: value})


@pytest.mark.parametrize("name", ["département", "", "a b", ":x"])
def test_a_name_that_would_lock_nothing_is_refused(name: str):
    with pytest.raises(ValueError, match="not a slug of Metabase"):
        DashboardScope(dashboard_id=118, locked={name: "57"})


async def test_an_address_longer_than_metabase_takes_is_not_signed(metabase: Metabase):
    scope = DashboardScope(dashboard_id=654, locked={Filter.PRESCRIBER_ID: [str(n) for n in range(10_000, 11_000)]})

    with pytest.raises(MetabaseRejected) as caught:
        metabase.client.embed_url(scope)
    with pytest.raises(MetabaseRejected):
        await metabase.client.cards(scope)

    error = caught.value
    assert (error.code, error.delivery, error.needs_operator) == ("url_too_long", Delivery.NOT_SENT, True)
    assert stats_failure(error) is StatsFailure.MISCONFIGURED
    assert not metabase.router.calls


def test_the_departments_of_the_whole_country_still_fit(metabase: Metabase):
    names = [f"{code:02d} - Département inventé numéro {code}" for code in range(109)]

    url = metabase.client.embed_url(DashboardScope(dashboard_id=183, locked={Filter.DEPARTMENT: names}))

    assert len(url) < 8_192


async def test_without_a_site_there_is_no_address():
    async with metabase_with(replace(CONFIG, site_url="")) as metabase:
        assert metabase.client.embed_url(SCOPE) == ""


async def test_a_slash_at_the_end_of_the_site_is_not_doubled():
    async with metabase_with(replace(CONFIG, site_url="https://stats.example/")) as metabase:
        assert metabase.client.embed_url(SCOPE).startswith("https://stats.example/embed/")


def test_the_secret_does_not_print_itself():
    assert SECRET_KEY not in repr(CONFIG)
