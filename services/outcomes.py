"""What an action may come to instead of its result. Values, not exceptions: each is an expected answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of the input. `path` leads to it from the input object; `message` is French."""

    path: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """The input cannot be used as it is."""

    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class ConflictFound:
    """The input is sound, but what is already there stands against it. `reason` is French."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """There is no such row."""


def invalid(path: str, message: str) -> Invalid:
    """One problem with one field of the input object itself."""
    return Invalid((FieldProblem((path,), message),))
