"""Operations are counted under few names, and under none that could be somebody's."""

from __future__ import annotations

import pytest

from telemetry.operations import ANONYMOUS, OTHER, OperationNames, Outcome, observing_operation
from telemetry.registry import REGISTRY


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_names_of_signed_in_clients_are_counted_apart():
    names = OperationNames()

    assert names.label("JobSeekers", is_signed_in=True) == "JobSeekers"
    assert names.label("JobSeekers", is_signed_in=False) == "JobSeekers"


def test_an_operation_without_a_name_has_one_label():
    assert OperationNames().label(None, is_signed_in=True) == ANONYMOUS


def test_callers_who_did_not_sign_in_introduce_no_name():
    assert OperationNames().label("Departments", is_signed_in=False) == OTHER


def test_there_is_a_bound_to_names():
    names = OperationNames(most=3)

    labels = {names.label(f"Query{'x' * number}", is_signed_in=True) for number in range(500)}

    assert len(labels) == 4
    assert OTHER in labels


@pytest.mark.parametrize("name", ["n185057800608442", "call_0612345678", "a" * 65, "naïve", "a@exemple.test", ""])
def test_names_that_may_be_personal_or_are_none_are_not_shown(name: str):
    assert OperationNames().label(name, is_signed_in=True) == OTHER


def test_an_answer_is_counted_with_its_codes_and_statements():
    before = value("traverse_graphql_errors_total", code="FORBIDDEN")

    with observing_operation() as seen:
        seen.name = "CountedHere"
        seen.answered(["FORBIDDEN", "FORBIDDEN"])
        seen.statements = 3

    assert value("traverse_graphql_operations_total", operation="CountedHere", outcome="errors") == 1
    assert value("traverse_graphql_errors_total", code="FORBIDDEN") == before + 2
    assert value("traverse_graphql_sql_statements_sum", operation="CountedHere") == 3
    assert value("traverse_graphql_operation_seconds_count", operation="CountedHere") == 1


@pytest.mark.parametrize(("error", "outcome"), [(KeyError, Outcome.REFUSED), (ValueError, Outcome.FAILED)])
def test_an_exception_is_a_refusal_or_a_failure(error: type[Exception], outcome: Outcome):
    before = value("traverse_graphql_operations_total", operation=OTHER, outcome=outcome)

    with pytest.raises(error), observing_operation(refusals=(KeyError,)):
        raise error

    assert value("traverse_graphql_operations_total", operation=OTHER, outcome=outcome) == before + 1
