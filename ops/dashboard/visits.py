"""One request of somebody who was let in, and what pages make of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ops.dashboard.forms import Form
from ops.dashboard.parts import Parts
from ops.dashboard.sessions import Session
from resolvers.viewer import Permission, Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """`visitor` as the database knows them now."""

    request: Request
    parts: Parts
    visitor: Viewer
    session: Session
    now: datetime

    def query(self, name: str) -> str:
        """Return a parameter of the address, "" if it is not there."""
        return self.request.query_params.get(name, "").strip()[:200]

    @property
    def visitor_id(self) -> UUID:
        if self.visitor.user_id is None:
            raise RuntimeError("visit: nobody is signed in, one of the staff was expected; check the gate")
        return self.visitor.user_id

    @property
    def may_act(self) -> bool:
        """Whether they may press buttons; observers read alone."""
        return self.visitor.has(Permission.OPERATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page shows. `is_live`: it is looked at again and again, and what changed is sent."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict[str, object])
    status: int = 200
    is_live: bool = True


Read = Callable[[Visit], Awaitable[View]]
Act = Callable[[Visit, Form], Awaitable[View | Response]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A page. `path` is below /ops."""

    path: str
    read: Read


@dataclass(frozen=True, slots=True)
class Acting:
    """What a form is sent to."""

    path: str
    act: Act


class NoSuchThing(Exception):
    """The address names what does not exist, or does not exist any more."""


NOTICE_COOKIE = "traverse_ops_notice"


def done(path: str, notice: str) -> Response:
    """Go on to a page, which says once what was done. `notice`: a key of `ops.dashboard.notices.NOTICES`."""
    response = RedirectResponse(path, status_code=303)
    response.set_cookie(NOTICE_COOKIE, notice, max_age=60, path="/ops", httponly=True, samesite="strict")
    return response
