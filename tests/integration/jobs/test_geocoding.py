"""The jobs of geocoding: an id in, one service call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import redis.asyncio

from jobs.geocoding import (
    GEOCODE_DUE,
    begin_geocoding,
    geocode_addresses,
    geocode_company,
    geocode_job_seeker,
)
from models import Company, CronRun, JobSeekerProfile
from tests.factories import make_company, make_job_seeker
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.places import Places, faked_places

ADDRESS = {"address_line_1": "12 rue Inventée", "post_code": "57000", "city": "Metz"}


@pytest.fixture
async def places(database: object, valkey: redis.asyncio.Redis) -> AsyncIterator[Places]:
    async with faked_places(valkey) as places:
        yield places


async def test_the_bell_has_one_address_geocoded(worker: WorkerParts, places: Places):
    context = replace(worker.context, ban=places.ban)
    company = await make_company(**ADDRESS)
    person = await make_job_seeker(profile=ADDRESS)

    await geocode_company(context, company.id)
    await geocode_job_seeker(context, person.id)

    assert (await Company.get(id=company.id)).insee_code == "57463"
    assert (await JobSeekerProfile.get(id=person.id)).insee_code == "57463"


async def test_the_sweep_finds_what_no_bell_announced_and_leaves_its_sums(worker: WorkerParts, places: Places):
    context = replace(worker.context, ban=places.ban)
    await make_company(**ADDRESS)
    await make_job_seeker(profile=ADDRESS)

    await geocode_addresses(context)

    run = await CronRun.get(name=GEOCODE_DUE)
    assert run.succeeded
    assert run.summary["placed"] == 2
    assert len(places.ban_queries) == 2


async def test_two_sweeps_within_a_minute_are_one(worker: WorkerParts, places: Places):
    context = replace(worker.context, ban=places.ban)
    await geocode_addresses(context)
    await make_company(**ADDRESS)

    await geocode_addresses(context)

    assert places.ban_queries == []


async def test_without_the_partner_nothing_happens(worker: WorkerParts, places: Places):
    company = await make_company(**ADDRESS)

    await geocode_company(worker.context, company.id)
    await begin_geocoding(worker.context)
    await geocode_addresses(worker.context)

    assert (await Company.get(id=company.id)).geocoding_due_at is not None
    assert places.ban_queries == []
