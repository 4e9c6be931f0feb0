"""Signed access to one dashboard, limited to what one viewer may see. Source: Metabase, static embedding parameters."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import jwt

from clients.errors import Delivery
from clients.metabase.config import MetabaseConfig
from clients.metabase.errors import MetabaseRejected, StatsFailure

LockedValue = str | int | list[str]

# Metabase's web server refuses longer request heads.
_MAX_URL_BYTES = 8_192
_SLUG = re.compile(r"[A-Za-z0-9_().%~-]+", re.ASCII)


class Filter:
    """Names of locked filters, percent-encoded as they stand, also inside the JSON: `département` locks nothing."""

    DEPARTMENT: Final = "d%C3%A9partement"
    REGION: Final = "r%C3%A9gion"
    # One thing, three names, by dashboard.
    COMPANY_ASP_ID: Final = "identifiant_de_la_structure"
    COMPANY_ASP_ID_OF_SIAE: Final = "id_asp_de_la_siae"
    COMPANY_ASP_ID_SHORT: Final = "id_asp_siae"
    COMPANY_ID: Final = "identifiant_de_la_structure_(c1)"
    PRESCRIBER_ID: Final = "id_prescripteur"
    PRESCRIBER_KIND: Final = "prescripteur"
    NETWORK_ID: Final = "id_r%C3%A9seau"
    APPLICATION_ORIGIN: Final = "origine_candidature"


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardScope:
    """One dashboard with its locked filters.

    An empty value is refused here: Metabase takes it for "no filter" and shows everything.
    """

    dashboard_id: int
    locked: Mapping[str, LockedValue] = field(default_factory=dict[str, LockedValue])

    def __post_init__(self) -> None:
        for name, value in self.locked.items():
            if not _SLUG.fullmatch(name):
                raise ValueError(f'locked filter "{name}": not a slug of Metabase; percent-encode its accents')
            if value == "" or (isinstance(value, list) and not all(value)) or value == []:
                raise ValueError(f'locked filter "{name}": empty, which would lock nothing; refuse access instead')


class EmbedSigner:
    """Signs with the one secret that opens every dashboard: it never leaves the server."""

    def __init__(self, config: MetabaseConfig, now: Callable[[], datetime]) -> None:
        self._site_url = config.site_url.rstrip("/")
        self._secret_key = config.secret_key
        self._token_seconds = config.token_seconds
        self._now = now

    def iframe_url(self, scope: DashboardScope, *, is_titled: bool) -> str:
        """The address of the dashboard for an iframe; empty when no site is configured."""
        if not self._site_url:
            return ""
        fragment = "true" if is_titled else "false"
        return f"{self._signed(scope, '/embed/dashboard/')}#titled={fragment}"

    def api_url(self, scope: DashboardScope, rest: str = "") -> str:
        """The address of the same dashboard for calls of our own."""
        return self._signed(scope, "/api/embed/dashboard/", rest)

    def _signed(self, scope: DashboardScope, path: str, rest: str = "") -> str:
        url = f"{self._site_url}{path}{self._token(scope)}{rest}"
        if len(url) > _MAX_URL_BYTES:
            raise MetabaseRejected(
                operation="sign",
                reason=f"not signed: the address would be {len(url)} bytes long, {_MAX_URL_BYTES} are taken",
                failure=StatsFailure.MISCONFIGURED,
                code="url_too_long",
                needs_operator=True,
                delivery=Delivery.NOT_SENT,
            )
        return url

    def _token(self, scope: DashboardScope) -> str:
        payload = {
            "resource": {"dashboard": scope.dashboard_id},
            "params": dict(scope.locked),
            "exp": int(self._now().timestamp()) + self._token_seconds,
        }
        return jwt.encode(payload, self._secret_key, algorithm="HS256")
