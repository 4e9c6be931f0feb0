"""Outcomes of services, as members of result unions."""

from __future__ import annotations

from schema.errors import Conflict, ErrorCode, FieldProblem, InvalidInput
from services.outcomes import ConflictFound, Invalid


def invalid_input(outcome: Invalid) -> InvalidInput:
    return InvalidInput(
        message="Certaines données sont à corriger.",
        code=ErrorCode.INVALID_INPUT,
        problems=[FieldProblem(path=list(problem.path), message=problem.message) for problem in outcome.problems],
    )


def conflict(outcome: ConflictFound) -> Conflict:
    return Conflict(message=outcome.reason, code=ErrorCode.CONFLICT)
