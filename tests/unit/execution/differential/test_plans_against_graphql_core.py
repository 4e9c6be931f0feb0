"""The proof of the plans: whatever is asked and whatever comes of it, they answer as graphql-core does."""

from __future__ import annotations

import os

import pytest
from graphql import NoUnusedVariablesRule, parse, specified_rules, validate
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from execution.plans import PlanCache
from tests.unit.execution.differential.documents import random_document
from tests.unit.execution.differential.outcomes import World
from tests.unit.execution.differential.runs import run
from tests.unit.execution.differential.schemas import random_schema

CASES = int(os.environ.get("PLAN_CASES", "400"))
_RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]
# graphql-core never awaits what belongs to fields that it cancels before they begin; plans neither.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SEEDS = st.integers(min_value=0, max_value=2**32)


@settings(max_examples=CASES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    schema_seed=st.integers(min_value=0, max_value=300),
    document_seed=SEEDS,
    outcome_seed=SEEDS,
    oddness=st.sampled_from((0, 1, 5, 20)),
    variables=st.fixed_dictionaries(
        {"yes": st.booleans()},
        optional={"no": st.booleans(), "size": st.integers(0, 5), "name": st.sampled_from(("", "a"))},
    ),
    native_dates=st.booleans(),
)
async def test_plans_and_graphql_core_cannot_be_told_apart(
    schema_seed: int,
    document_seed: int,
    outcome_seed: int,
    oddness: int,
    variables: dict[str, object],
    native_dates: bool,
):
    schema, classes = random_schema(schema_seed)
    document = parse(random_document(schema, document_seed))
    assume(not validate(schema, document, _RULES))
    plans = PlanCache(schema, compile_after=1, native_dates=native_dates)
    worlds = [World(outcome_seed, oddness, classes) for _ in range(3)]
    roots = [world.instance(classes["Query"], "root") for world in worlds]

    plain = await run(schema, document, variables, worlds[0], roots[0], None)
    compiling = await run(schema, document, variables, worlds[1], roots[1], plans)
    compiled = await run(schema, document, variables, worlds[2], roots[2], plans)

    assert compiling == plain
    assert compiled == plain
    assert plans.faults == 0
    event(f"plans: {min(plans.compiled, 5)}")
    event("with errors" if plain.originals else "without errors")
