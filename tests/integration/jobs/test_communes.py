"""The round that brings the communes up to date: once a day, and within the hour after a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from jobs.communes import synchronise
from jobs.context import WorkerContext
from models import Commune, CronRun
from models.database import fetch_all
from services.clock import utc_now
from services.commune_synchronisation import RUN
from tests.integration.country import Country, faked_country, fill_table
from tests.integration.jobs.conftest import WorkerParts
from tests.unit.clients.partner_faults import FAULTS, Fault


@pytest.fixture
async def country(database: object) -> AsyncIterator[Country]:
    async with faked_country() as country:
        yield country


@pytest.fixture
def context(worker: WorkerParts, country: Country) -> WorkerContext:
    return replace(worker.context, api_geo=country.client)


async def age_last_run(age: timedelta) -> None:
    await CronRun.filter(name=RUN).update(started_at=utc_now() - age)


async def test_the_first_round_loads_the_table_and_says_how_many(context: WorkerContext):
    await synchronise(context)

    run = await CronRun.get(name=RUN)
    assert run.succeeded is True
    assert run.summary["added"] == await Commune.all().count() > 1_200


async def test_a_second_round_on_the_same_day_asks_nobody(context: WorkerContext, country: Country):
    await synchronise(context)
    await age_last_run(timedelta(hours=23))
    calls = country.route.call_count

    await synchronise(context)

    assert country.route.call_count == calls


async def test_a_day_later_the_country_is_asked_for_again(context: WorkerContext, country: Country):
    await synchronise(context)
    await age_last_run(timedelta(hours=24))
    calls = country.route.call_count

    await synchronise(context)

    assert country.route.call_count == 2 * calls


async def test_twelve_communes_end_the_round_and_log_an_error(context: WorkerContext, country: Country):
    country.keeps = 12

    with capture_logs() as logs:
        await synchronise(context)

    run = await CronRun.get(name=RUN)
    assert (run.succeeded, run.summary) == (False, {"error_class": "PartnerUnavailable"})
    assert not await Commune.exists()
    assert [(line["event"], line["log_level"], line["partner"]) for line in logs if line["log_level"] == "error"] == [
        ("communes_not_synchronised", "error", "api_geo")
    ]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_whatever_befalls_api_geo_the_table_is_left_as_it_was(worker: WorkerParts, fault: Fault):
    await fill_table()
    before = await fetch_all("SELECT *, xmin::text FROM commune ORDER BY insee_code")
    async with faked_country(deadline_seconds=fault.deadline_seconds) as country:
        country.route.mock(**fault.answers())

        with capture_logs() as logs:
            await synchronise(replace(worker.context, api_geo=country.client))

    assert await fetch_all("SELECT *, xmin::text FROM commune ORDER BY insee_code") == before
    assert (await CronRun.get(name=RUN)).succeeded is False
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["communes_not_synchronised"]


async def test_a_country_that_lacks_a_department_is_an_error_in_the_log(context: WorkerContext, country: Country):
    country.without = frozenset({"57"})

    with capture_logs() as logs:
        await synchronise(context)

    errors = [line for line in logs if line["log_level"] == "error"]
    assert [line["event"] for line in errors] == ["communes_not_synchronised"]
    assert "none of them in department 57" in errors[0]["reason"]


async def test_a_failure_is_tried_again_within_the_hour(context: WorkerContext, country: Country):
    country.keeps = 12
    await synchronise(context)
    country.keeps = None
    await age_last_run(timedelta(minutes=59))

    await synchronise(context)

    assert (await CronRun.get(name=RUN)).succeeded is True


async def test_where_api_geo_is_off_nothing_happens(worker: WorkerParts, country: Country):
    await synchronise(worker.context)

    assert country.route.call_count == 0
    assert not await CronRun.exists(name=RUN)
