"""Viewers who are supposed to be as they were a moment ago, and told by the first read whether they are.

A page asks several times within seconds, and nearly always on behalf of the same person with the same rights. So who
asked a moment ago is remembered, with a mark of the rows that their rights are made of. A read then goes on with what
is remembered, and its own statement returns the mark as it is by now: rights and rows are of the same instant, in one
statement. Where the marks differ, what was read is thrown away, unseen, and read again for the viewer as they are now.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

from resolvers.viewer import Viewer
from services.tokens import Claims

REMEMBERED_SECONDS = 60.0
MOST_REMEMBERED = 5_000


@dataclass(slots=True)
class SupposedViewer:
    """`is_still`: what a read has told; None while none has."""

    viewer: Viewer
    organization_id: UUID | None
    mark: str = field(repr=False)
    is_still: bool | None = None

    @property
    def is_told(self) -> bool:
        return self.is_still is not None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What MARK_NOW names."""
        return {"supposed_user_id": self.viewer.user_id, "supposed_organization_id": self.organization_id}

    def hear(self, mark: str | None) -> None:
        """Take note of the mark as it is by now; once it differed, it stays so."""
        self.is_still = self.is_still is not False and mark == self.mark


class ViewerMemory:
    """The viewers of a process, by what their tokens say of them."""

    def __init__(self, *, seconds: float = REMEMBERED_SECONDS, size: int = MOST_REMEMBERED) -> None:
        self._seconds = seconds
        self._size = size
        self._known: OrderedDict[tuple[str, UUID | None], tuple[Viewer, str, float]] = OrderedDict()

    def suppose(self, claims: Claims) -> SupposedViewer | None:
        """Return who a verified token spoke for a moment ago; None if nobody asked with such a one."""
        if claims.scopes is not None:
            return None  # a machine client: never remembered
        found = self._known.get((claims.subject, claims.organization_id))
        if found is None or found[2] < monotonic():
            return None
        return SupposedViewer(found[0], claims.organization_id, found[1])

    def keep(self, claims: Claims, viewer: Viewer, mark: str | None) -> None:
        if mark is None:
            return
        now = monotonic()
        key = (claims.subject, claims.organization_id)
        self._known.pop(key, None)
        self._known[key] = (viewer, mark, now + self._seconds)
        # In the order of their ends: nobody stays much longer than that, however few ask.
        while len(self._known) > self._size or next(iter(self._known.values()))[2] < now:
            self._known.popitem(last=False)
            if not self._known:
                return

    def forget(self, claims: Claims) -> None:
        self._known.pop((claims.subject, claims.organization_id), None)
