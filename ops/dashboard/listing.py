"""Lists by pages: what an address asks for, and the addresses of its neighbours. Every list can be linked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from ops.dashboard.visits import Visit
from services.clock import PARIS
from services.operations.paging import Page, PageRequest

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

_PLACE = ("after", "before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T]):
    """A page of rows. `next`, `previous` and `reversed` are addresses; "" where there is nothing."""

    items: Sequence[T]
    next: str
    previous: str
    reversed: str
    oldest_first: bool


class Query:
    """The parameters of an address, read without ever failing: what is not understood is told, and does not narrow."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self._visit.query(name).replace("\x00", "") or None

    def choice(self, name: str, label: str, kind: type[E]) -> E | None:
        text = self.text(name)
        found = next((member for member in kind if member.value == text), None)
        if text and found is None:
            self.problems.append(f"{label} : une des valeurs de la liste est attendue.")
        return found

    def uuid(self, name: str, label: str) -> UUID | None:
        text = self.text(name)
        try:
            return UUID(text) if text else None
        except ValueError:
            self.problems.append(f"{label} : un identifiant de 36 caractères est attendu.")
            return None

    def start_of_day(self, name: str, label: str) -> datetime | None:
        """The first instant of a day in Paris."""
        day = self._day(name, label)
        return datetime.combine(day, time(), PARIS) if day else None

    def end_of_day(self, name: str, label: str) -> datetime | None:
        """The first instant that is no longer of that day."""
        day = self._day(name, label)
        return datetime.combine(day + timedelta(days=1), time(), PARIS) if day else None

    def page(self) -> PageRequest:
        return PageRequest(
            after=self.text("after"), before=self.text("before"), oldest_first=self.text("order") == "oldest"
        )

    def _day(self, name: str, label: str) -> date | None:
        text = self.text(name)
        try:
            found = date.fromisoformat(text) if text else None
        except ValueError:
            found = None
        if text and (found is None or not 2000 <= found.year <= 2200):
            self.problems.append(f"{label} : une date est attendue, par exemple 2026-02-18.")
            return None
        return found


def listing(visit: Visit, page: Page[T]) -> Listing[T]:
    """Return the page with the addresses around it."""
    oldest_first = visit.query("order") == "oldest"
    return Listing(
        items=page.items,
        next=here(visit, after=page.next, before=None) if page.next else "",
        previous=here(visit, after=None, before=page.previous) if page.previous else "",
        reversed=here(visit, after=None, before=None, order=None if oldest_first else "oldest"),
        oldest_first=oldest_first,
    )


def here(visit: Visit, **changes: str | None) -> str:
    """Return the present address with some parameters changed; None takes one away."""
    parameters: dict[str, Any] = {**visit.request.query_params, **changes}
    return address(visit.request.url.path, {name: value for name, value in parameters.items() if value})


def address(path: str, parameters: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


def narrowing(visit: Visit) -> dict[str, str]:
    """Return the parameters of the address that narrow a list: all but the place in it."""
    return {
        name: value for name, value in visit.request.query_params.items() if value and name not in (*_PLACE, "order")
    }
