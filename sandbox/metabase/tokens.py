"""Reading embedding tokens as strictly as Metabase does, with its own texts for what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import jwt

from sandbox.metabase.dashboards import DASHBOARDS, Dashboard
from sandbox.metabase.settings import MetabaseSettings


class TokenError(Exception):
    """`str()` is Metabase's text."""

    def __init__(self, text: str, *, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a token opens. A filter with an empty value lets everything pass."""

    dashboard: Dashboard
    locked: Mapping[str, frozenset[str]]


def read_token(token: str, settings: MetabaseSettings, now: datetime) -> Access:
    """Raises TokenError."""
    if not settings.embedding_enabled:
        raise TokenError("Embedding is not enabled.")
    payload = _verified(token, settings.secret_key, now)
    dashboard = _dashboard(payload, settings)
    return Access(dashboard=dashboard, locked=_locked(payload.get("params"), dashboard))


def check_query(names: frozenset[str], dashboard: Dashboard) -> None:
    """Filters in the query string. Raises TokenError: a locked one has its value from the token only."""
    for name in sorted(names):
        if name in dashboard.locked | dashboard.optional:
            raise TokenError(f"You can only specify a value for :{name} in the JWT.")
        raise TokenError(f"Unknown parameter :{name}.")


def _verified(token: str, secret_key: str, now: datetime) -> dict[str, Any]:
    try:
        payload: dict[str, Any] = jwt.decode(
            token, secret_key, algorithms=["HS256"], options={"verify_exp": False, "require": ["exp"]}
        )
    except jwt.InvalidTokenError:
        raise TokenError("Message seems corrupt or manipulated.") from None
    if type(payload["exp"]) is not int:
        raise TokenError("Message seems corrupt or manipulated.")
    if payload["exp"] <= now.timestamp():
        raise TokenError(f"Token is expired ({payload['exp']})")
    return payload


def _dashboard(payload: dict[str, Any], settings: MetabaseSettings) -> Dashboard:
    resource = payload.get("resource")
    id_ = cast("dict[str, Any]", resource).get("dashboard") if isinstance(resource, dict) else None
    if type(id_) is not int or id_ not in DASHBOARDS:
        raise TokenError("Not found.", status=404)
    if id_ in settings.hidden_dashboards:
        raise TokenError("Embedding is not enabled for this object.")
    return DASHBOARDS[id_]


def _locked(params: Any, dashboard: Dashboard) -> dict[str, frozenset[str]]:
    given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
    for name in sorted(dashboard.locked - given.keys()):
        raise TokenError(f"You must specify a value for :{name} in the JWT.")
    for name in sorted(given.keys() - dashboard.locked - dashboard.optional):
        raise TokenError(f"Unknown parameter :{name}.")
    return {name: _texts(value) for name, value in given.items()}


def _texts(value: Any) -> frozenset[str]:
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    return frozenset(str(each) for each in values)
