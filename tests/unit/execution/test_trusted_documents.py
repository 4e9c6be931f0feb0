"""Trusted documents in the engine: ready before anybody asks, and never pushed out by what others send."""

from __future__ import annotations

import pytest

from execution.engine import GraphQLEngine, OperationRequest, RequestRefused
from execution.limits import Limits
from execution.trusted.documents import TrustedDocument, TrustedDocuments
from tests.unit.execution.shop import ask, shop_schema

PAGE = TrustedDocument(name="Page", kind="query", text="query Page { shelves { name } }")
ASKED = OperationRequest(document_id=f"sha256:{PAGE.hash}")


def engine_with(*documents: TrustedDocument, cache_size: int = 500) -> GraphQLEngine:
    return GraphQLEngine(shop_schema(), Limits(), trusted=TrustedDocuments(documents), cache_size=cache_size)


async def test_a_trusted_document_is_parsed_and_validated_before_the_first_request():
    engine = engine_with(PAGE)

    result = await engine.execute(ASKED, None, deadline_seconds=5)

    assert result.data is not None
    assert len(result.data["shelves"]) == 40
    assert (engine.cache_hits, engine.cache_misses) == (0, 0)


async def test_it_is_compiled_when_it_comes_for_the_first_time():
    engine = engine_with(PAGE)

    await engine.execute(ASKED, None, deadline_seconds=5)

    assert engine.plans is not None
    assert engine.plans.compiled == 1


async def test_documents_of_others_do_not_push_it_out():
    engine = engine_with(PAGE, cache_size=2)
    await engine.execute(ASKED, None, deadline_seconds=5)
    for number in range(10):
        for _ in range(2):
            await engine.execute(ask(f"query Other{number} {{ shelves {{ name }} }}"), None, deadline_seconds=5)
    assert engine.plans is not None
    compiled, hits = engine.plans.compiled, engine.plans.hits

    await engine.execute(ASKED, None, deadline_seconds=5)

    assert (engine.plans.compiled, engine.plans.hits) == (compiled, hits + 1)
    assert len(engine.plans) <= 2


def test_its_very_text_is_the_same_document():
    engine = engine_with(PAGE)

    by_text, by_hash = engine.prepare(ask(PAGE.text)), engine.prepare(ASKED)

    assert by_text[0] is by_hash[0]
    assert engine.text_of(ASKED) == PAGE.text


@pytest.mark.parametrize("document_id", ["", "sha256:", f"sha256:{'0' * 64}", PAGE.hash, "x" * 100_000])
def test_an_identifier_that_is_not_known_is_refused_by_its_code_and_not_repeated(document_id: str):
    engine = engine_with(PAGE)

    with pytest.raises(RequestRefused) as refused:
        engine.prepare(OperationRequest(document_id=document_id))

    [error] = refused.value.errors
    assert error.extensions == {"code": "PERSISTED_DOCUMENT_NOT_FOUND"}
    assert len(error.message) < 200
    assert engine.text_of(OperationRequest(document_id=document_id)) == ""


def test_one_that_does_not_fit_the_schema_stops_nothing_and_is_refused_when_it_is_asked_for():
    torn = TrustedDocument(name="Torn", kind="query", text="query Torn { drawers { name } }")
    engine = engine_with(torn, PAGE)

    with pytest.raises(RequestRefused) as refused:
        engine.prepare(OperationRequest(document_id=f"sha256:{torn.hash}"))

    assert "drawers" in refused.value.errors[0].message
    assert engine.prepare(ASKED)[1].name is not None
