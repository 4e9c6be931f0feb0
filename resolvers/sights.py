"""What each listener may see of one event, asked once for all whose rights ask the same.

The rules are those of every read (resolvers/visibility.py). Many listeners must not mean many statements: where rights
differ in their parameters alone (a company, a person), one statement tells of all of them who may see the row; then the
row is read once for each set of parameters that the statement of the selection really names. What is remembered lives
for a second: whoever comes to the event later is shown how things are by then.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from execution.single_flight import SingleFlight
from resolvers.context import OperationContext
from resolvers.reading import entity_named, plan
from resolvers.selection import Selection
from resolvers.statements import Statement
from resolvers.visibility import visible, visible_until_destroyed

_MOMENT_SECONDS = 1.0
_MAX_MOMENTS = 1_000
_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")

Asked = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    """May the row be seen under this rule?"""

    table: str
    row_id: UUID
    rule: str


@dataclass(slots=True)
class _Gathering:
    """Those who ask the same question in one turn of the loop, each by the parameters of their rule."""

    asked: dict[Asked, Mapping[str, Any]] = field(default_factory=dict[Asked, Mapping[str, Any]])
    task: asyncio.Task[frozenset[Asked]] | None = None


class Sights:
    """Those of one process."""

    def __init__(self) -> None:
        self._rows: SingleFlight[Any | None] = SingleFlight(max_age_seconds=_MOMENT_SECONDS)
        self._gatherings: dict[tuple[_Question, bool], _Gathering] = {}
        # One instant an event: what is read at it can be shared although it may depend on the time.
        self._moments: OrderedDict[Hashable, tuple[float, datetime]] = OrderedDict()

    async def aclose(self) -> None:
        await self._rows.aclose()

    def moment(self, event_key: Hashable) -> datetime:
        """Return the instant at which an event is looked at: the same for all who come within a second."""
        now = asyncio.get_running_loop().time()
        found = self._moments.get(event_key)
        if found is not None and now - found[0] < _MOMENT_SECONDS:
            return found[1]
        instant = datetime.now(UTC)
        self._moments[event_key] = (now, instant)
        self._moments.move_to_end(event_key)
        if len(self._moments) > _MAX_MOMENTS:
            self._moments.popitem(last=False)
        return instant

    async def row(
        self,
        context: OperationContext,
        event_key: Hashable,
        type_name: str,
        row_id: UUID,
        selection: Selection,
        *,
        condition: str | None = None,
    ) -> Any | None:
        """Return the row that an event tells of, with what is selected, as the viewer sees it. None: out of sight."""
        viewer = context.viewer
        rule = visible(type_name, viewer.scope, viewer.partner_scopes)
        if condition is not None:
            rule = f"({rule}) AND ({condition})"
        if not await self._admits(context, _Question(entity_named(type_name).table, row_id, rule), surely=False):
            return None
        statement, build = self._statement(context, type_name, selection, condition)
        values = {**context.parameters(), "event_row": row_id}
        # By the event: what was read for an earlier one of the same row is how things were before this one.
        key = (event_key, statement.text, tuple(_frozen(values[name]) for name in statement.names))

        async def read() -> Any | None:
            records = await statement.rows(values)
            return build(records[0]) if records else None

        return await self._rows.get(key, read)

    async def saw_destroyed_appointment(self, context: OperationContext, row_id: UUID) -> bool:
        """Tell whether an appointment is destroyed that the viewer saw until then."""
        rule = visible_until_destroyed(context.viewer.scope, context.viewer.partner_scopes)
        return await self._admits(context, _Question("appointment", row_id, rule), surely=True)

    @staticmethod
    def _statement(
        context: OperationContext, type_name: str, selection: Selection, condition: str | None
    ) -> tuple[Statement, Any]:
        where = ("{t}.id = :event_row", *([condition] if condition is not None else []))
        made = plan(entity_named(type_name), selection, context.viewer, where=where)
        statement = made.statements.get(("rows",))
        if statement is None:
            statement = made.statements["rows",] = Statement(
                f"SELECT {made.select_list()} FROM {made.source} WHERE {made.where()}"
            )
        return statement, made.build

    # -- who may see it

    async def _admits(self, context: OperationContext, question: _Question, *, surely: bool) -> bool:
        """Tell whether the rule admits the viewer; unless `surely`, True may mean that reading the row will tell."""
        if question.rule == "FALSE":
            return False
        names = _names_of(question.rule)
        if not names and not surely:
            return True
        values = context.parameters()
        asked = tuple(_frozen(values[name]) for name in names)
        gathering = self._gatherings.get((question, surely))
        if gathering is None:
            gathering = self._gatherings[question, surely] = _Gathering()
            gathering.task = asyncio.create_task(self._decide(question, gathering, surely=surely))
        gathering.asked[asked] = values
        assert gathering.task is not None  # noqa: S101 (made with the gathering)
        return asked in await asyncio.shield(gathering.task)

    async def _decide(self, question: _Question, gathering: _Gathering, *, surely: bool) -> frozenset[Asked]:
        # Until the next turn of the loop: all who were woken by the event have asked by then.
        await asyncio.sleep(0)
        del self._gatherings[question, surely]
        asked = list(gathering.asked)
        if len(asked) == 1 and not surely:
            return frozenset(asked)
        values = [gathering.asked[one] for one in asked]
        rows = await _who_may_see(question.table, question.rule).rows(
            {
                "row_id": question.row_id,
                "numbers": list(range(len(asked))),
                "viewer_ids": [one["viewer_id"] for one in values],
                "organization_ids": [one["organization_id"] for one in values],
                "company_id_lists": [_array(one["company_ids"]) for one in values],
                "department_lists": [_array(one["departments"]) for one in values],
            }
        )
        numbers: list[int] = [row["number"] for row in rows]
        return frozenset(asked[number] for number in numbers)


@lru_cache(maxsize=200)
def _names_of(rule: str) -> tuple[str, ...]:
    return Statement(rule).names


@lru_cache(maxsize=200)
def _who_may_see(table: str, rule: str) -> Statement:
    """The rule, asked of one row for many viewers: its parameters are the columns of theirs."""
    condition = _PARAMETER.sub(r"asked.\1", rule.replace("{t}", "t"))
    return Statement(
        "SELECT asked.number FROM unnest(:numbers::int[], :viewer_ids::uuid[], :organization_ids::uuid[],"
        " :company_id_lists::text[], :department_lists::text[])"
        " AS asked (number, viewer_id, organization_id, company_ids, departments)"
        f' JOIN "{table}" t ON t.id = :row_id WHERE ({condition})'
    )


def _array(values: list[Any]) -> str:
    """An array as PostgreSQL writes it, of ids or codes: an array of arrays of different lengths there is not."""
    return "{" + ",".join(str(value) for value in values) + "}"


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]: of any parameter
