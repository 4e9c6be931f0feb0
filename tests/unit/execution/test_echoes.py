"""What error messages repeat of a request."""

from __future__ import annotations

from typing import Any, cast

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLScalarType,
    OperationDefinitionNode,
    parse,
)
from graphql.execution import get_variable_values  # pyright: ignore[reportUnknownVariableType]

from execution.echoes import be_discreet, without_values
from execution.engine import GraphQLEngine, OperationRequest, RequestRefused
from execution.limits import Limits
from schema.build import build_schema

CANARY = "Zacharie-185057800608436"
SCHEMA = build_schema(hide_suggestions=True)
ENGINE = GraphQLEngine(SCHEMA, Limits(), hide_suggestions=True)
INPUTS = sorted(
    name
    for name, kind in SCHEMA.type_map.items()
    if isinstance(kind, (GraphQLScalarType, GraphQLEnumType, GraphQLInputObjectType)) and not name.startswith("__")
)
# Whatever shape a client gives to what it means.
SHAPES: list[Any] = [CANARY, [CANARY], {"a": CANARY}, {CANARY: 1}, [[CANARY]], {"id": {"a": CANARY}}]


def _messages(type_name: str, value: Any) -> list[str]:
    document = parse(f"query($x: {type_name}) {{ __typename }}")
    definitions = cast("OperationDefinitionNode", document.definitions[0]).variable_definitions or ()
    found: Any = get_variable_values(SCHEMA, definitions, {"x": value}, hide_suggestions=True)
    return [error.message for error in be_discreet(found)] if isinstance(found, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


@pytest.mark.parametrize("type_name", INPUTS)
def test_no_type_repeats_a_value_that_does_not_fit_it(type_name: str):
    messages = [message for shape in SHAPES for message in _messages(type_name, shape)]

    assert messages or type_name in ("ID", "String", "URL"), "nothing was refused: this tests nothing"
    assert not [message for message in messages if "Zacharie" in message or "185057800608436" in message]


@pytest.mark.parametrize(
    ("message", "discreet"),
    [
        (
            "Variable '$n' has invalid value: Int cannot represent non-integer value: '185'",
            "Variable '$n' has invalid value: Int cannot represent non-integer value.",
        ),
        (
            "Variable '$f' has invalid value: Expected value of type 'F' not to include unknown field 'a', found: {}.",
            "Variable '$f' has invalid value: Expected value of type 'F' not to include unknown field 'a'.",
        ),
        (
            "Variable '$s' has invalid value at [0]: Value 'x; y' does not exist in 'State' enum.",
            "Variable '$s' has invalid value at [0]: Value does not exist in 'State' enum.",
        ),
        ("Value cannot represent a Date: \"1\". Invalid isoformat string: '1'", "Value cannot represent a Date."),
        ("Syntax Error: Expected Name, found String 'Zoé'.", "Syntax Error: Expected Name, found String."),
        ("Cannot query field 'nom' on type 'User'.", "Cannot query field 'nom' on type 'User'."),
        ("SIRET : 15 caractères, 14 chiffres attendus.", "SIRET : 15 caractères, 14 chiffres attendus."),
    ],
)
def test_what_is_wrong_is_told_without_the_value(message: str, discreet: str):
    assert without_values(message) == discreet


@pytest.mark.parametrize(
    "query",
    [
        f'{{ jobSeekers(first: "{CANARY}") {{ totalCount }} }}',
        f'{{ jobApplications(filter: {{ states: ["{CANARY}"] }}) {{ totalCount }} }}',
        f'{{ jobSeekers(filter: {{ nir: "{CANARY}" }}) {{ totalCount }} }}',
        f'{{ viewer {{ kind "{CANARY}" }} }}',
        f'{{ viewer {{ kind """{CANARY}""" }} }}',
        f'query($n: Int = "{CANARY}") {{ jobSeekers(first: $n) {{ totalCount }} }}',
        f'{{ company(siret: {{ a: "{CANARY}" }}) {{ id }} }}',
    ],
)
def test_a_literal_in_the_document_is_not_repeated_either(query: str):
    with pytest.raises(RequestRefused) as refused:
        ENGINE.prepare(OperationRequest(query=query))

    assert refused.value.errors
    assert not [error for error in refused.value.errors if CANARY in error.message]


def test_developers_are_told_everything():
    engine = GraphQLEngine(build_schema(), Limits())

    with pytest.raises(RequestRefused) as refused:
        engine.prepare(OperationRequest(query=f'{{ jobSeekers(first: "{CANARY}") {{ totalCount }} }}'))

    assert CANARY in refused.value.errors[0].message


def test_places_and_codes_of_errors_stay():
    error = GraphQLError("Int cannot represent non-integer value: 'a'", extensions={"code": "BAD_USER_INPUT"})

    (told,) = be_discreet([error])

    assert (told.message, told.extensions) == ("Int cannot represent non-integer value.", {"code": "BAD_USER_INPUT"})
