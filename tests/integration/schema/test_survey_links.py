"""Survey.url, as a front end reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clients.tally import TallyForms
from execution.engine import GraphQLEngine
from models import Company, JobApplication, Survey
from models.enums import JobApplicationState, SurveyKind
from resolvers.context import Resources
from resolvers.global_ids import encode
from services.surveys import SurveyPlan
from tests.factories import make_company, make_employer, make_job_application
from tests.integration.schema.client import GraphQLClient, serve

READ = "query($id: ID!) { node(id: $id) { ... on Survey { url } } }"
LIST = "{ surveys(first: 50) { nodes { url } } }"
REFERENCE = "5Jc0kq0mYV7m3o1TqgS2dw"


@pytest.fixture
def resources(resources: Resources) -> Resources:
    return replace(resources, surveys=SurveyPlan(forms=TallyForms("https://tally.so")))


async def make_survey(company: Company, context: dict[str, str], reference: str = REFERENCE) -> Survey:
    application: JobApplication = await make_job_application(company=company, state=JobApplicationState.ACCEPTED)
    return await Survey.create(
        kind=SurveyKind.POST_HIRING_EMPLOYER,
        reference=reference,
        form_id="mY59xq",
        context=context,
        job_application=application,
    )


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (
            {
                "departement": "13",
                "region": "Provence-Alpes-Côte d'Azur",
                "type_siae": "Atelier chantier d'insertion",
                "id_siae": "4321",
            },
            "id_siae=4321&type_siae=Atelier+chantier+d%27insertion&region=Provence-Alpes-C%C3%B4te+d%27Azur"
            "&departement=13",
        ),
        (
            {"id_siae": "4321", "type_siae": "Entreprise d'insertion", "region": "", "departement": ""},
            "id_siae=4321&type_siae=Entreprise+d%27insertion&region=&departement=",
        ),
        (
            {"region": "Île-de-France", "idorganisation": "77", "departement": "93", "nom": "Fictive"},
            "idorganisation=77&region=%C3%8Ele-de-France&departement=93",
        ),
    ],
)
async def test_a_survey_links_to_its_form_with_its_context_in_order(
    graphql: GraphQLClient, context: dict[str, str], expected: str
):
    company = await make_company()
    survey = await make_survey(company, context)

    answer = await graphql(READ, {"id": encode("Survey", survey.id)}, as_=await make_employer(company), of=company)

    assert answer.data["node"]["url"] == f"https://tally.so/r/mY59xq?{expected}&ref={REFERENCE}"


async def test_without_a_survey_tool_there_is_no_link(engine: GraphQLEngine, resources: Resources, database: object):
    company = await make_company()
    survey = await make_survey(company, {"id_siae": "1"})

    async with serve(engine, replace(resources, surveys=None)) as graphql:
        answer = await graphql(READ, {"id": encode("Survey", survey.id)}, as_=await make_employer(company), of=company)

    assert answer.data["node"] == {"url": None}


async def test_fifty_links_take_no_more_statements_than_one(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    await make_survey(company, {"id_siae": "1"}, "first")
    one = await graphql(LIST, as_=employer, of=company)
    for number in range(49):
        await make_survey(company, {"id_siae": "1"}, f"reference-{number}")

    fifty = await graphql(LIST, as_=employer, of=company)

    assert len({node["url"] for node in fifty.data["surveys"]["nodes"]}) == 50
    assert fifty.statements == one.statements
