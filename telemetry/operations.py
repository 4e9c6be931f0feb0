"""GraphQL operations: how many, how long, with how many statements, and what went wrong."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from time import monotonic

from prometheus_client import Counter, Histogram

from telemetry.registry import REGISTRY
from telemetry.tracing import TracedOperation, tracing_operation

ANONYMOUS = "anonymous"  # an operation without a name
OTHER = "other"
MOST_NAMES = 100

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
# No name that a program gives its queries has a number as long as a telephone's or a NIR's in it.
_LONG_NUMBER = re.compile(r"\d{5}", re.ASCII)

OPERATIONS = Counter(
    "traverse_graphql_operations",
    "Operations by name and outcome: ok, errors (some fields failed), refused, timeout, failed.",
    ("operation", "outcome"),
    registry=REGISTRY,
)
DURATIONS = Histogram(
    "traverse_graphql_operation_seconds",
    "Time from the whole request to the whole answer.",
    ("operation",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
STATEMENTS = Histogram(
    "traverse_graphql_sql_statements",
    "SQL statements that one operation sent.",
    ("operation",),
    buckets=(0, 1, 2, 3, 5, 8, 13, 21, 34, 55),
    registry=REGISTRY,
)
ERRORS = Counter(
    "traverse_graphql_errors", "Errors in answers, by their code.", ("code",), registry=REGISTRY
)  # fmt: skip


class Outcome(StrEnum):
    OK = "ok"
    ERRORS = "errors"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    FAILED = "failed"


class OperationNames:
    """The names that are counted apart: those that signed-in clients used first. A label for everything else."""

    def __init__(self, most: int = MOST_NAMES) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, name: str | None, *, is_signed_in: bool) -> str:
        """Return the label of an operation that was valid; anonymous callers introduce no new name."""
        if name is None:
            return ANONYMOUS
        if name in self._known:
            return name
        if (
            not is_signed_in
            or len(self._known) >= self._most
            or _NAME.fullmatch(name) is None
            or _LONG_NUMBER.search(name)
        ):
            return OTHER
        self._known.add(name)
        return name


@dataclass(slots=True)
class SeenOperation:
    """What is known of an operation under way. `name` stays OTHER for what was refused unread.

    `document` is the text that was asked for: of it, traces hold a fingerprint, and metrics nothing.
    """

    name: str = OTHER
    outcome: Outcome | None = None
    statements: int | None = None
    codes: list[str] = field(default_factory=list[str])
    kind: str | None = None
    document: str | None = field(default=None, repr=False)

    def describe(self, kind: Enum | None, document: str) -> None:
        """Take note of what was run: `kind` is query or mutation."""
        self.kind = kind.value if kind is not None else None
        self.document = document

    def answered(self, codes: Iterable[str]) -> None:
        self.codes = list(codes)
        self.outcome = Outcome.ERRORS if self.codes else Outcome.OK


NAMES = OperationNames()


@contextmanager
def observing_operation(refusals: tuple[type[Exception], ...] = ()) -> Generator[SeenOperation]:
    """Count and trace the block's operation. `refusals`: exceptions by which the caller, and not the server, failed."""
    seen, begun = SeenOperation(), monotonic()
    with tracing_operation(lambda: _traced(seen)):
        try:
            yield seen
        except refusals:
            seen.outcome = seen.outcome or Outcome.REFUSED
            raise
        finally:
            _count(seen, monotonic() - begun)


def _count(seen: SeenOperation, seconds: float) -> None:
    outcome = seen.outcome or Outcome.FAILED
    OPERATIONS.labels(seen.name, outcome).inc()
    DURATIONS.labels(seen.name).observe(seconds)
    if seen.statements is not None:
        STATEMENTS.labels(seen.name).observe(seen.statements)
    for code in seen.codes:
        ERRORS.labels(code).inc()


def _traced(seen: SeenOperation) -> TracedOperation:
    return TracedOperation(
        name=seen.name,
        kind=seen.kind,
        document=seen.document,
        outcome=(seen.outcome or Outcome.FAILED).value,
        codes=seen.codes,
        is_failure=seen.outcome in (None, Outcome.FAILED, Outcome.TIMEOUT),
    )
