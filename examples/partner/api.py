"""Traverse over HTTP: signing in by client credentials (RFC 6749 §4.4), and queries."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

_RENEW_BEFORE_SECONDS = 60.0


class SignInRefused(Exception):
    """The secret is wrong, or the client was revoked. Trying again does not help."""


class Unavailable(Exception):
    """Traverse did not answer, or asks to come back later. Trying again does help."""


class QueryRefused(Exception):
    """Traverse answered with errors. `codes` are those of its reference page "Errors"."""

    def __init__(self, codes: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(codes)))
        self.codes = codes


class TraverseAPI:
    """One client's account. `url`: where Traverse is, without a path."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        http: httpx.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._credentials = (client_id, client_secret)
        self._http = http
        self._clock = clock
        self._token: str | None = None
        self._renew_at = 0.0

    @property
    def socket_url(self) -> str:
        return "ws" + self._url.removeprefix("http") + "/graphql"

    def forget_token(self) -> None:
        """The next call signs in anew."""
        self._token = None

    async def token(self) -> str:
        """Return a token that is good for a while yet. Raises SignInRefused, Unavailable."""
        if self._token is None or self._clock() >= self._renew_at:
            answer = await self._post(
                "/oauth/token", data={"grant_type": "client_credentials"}, auth=httpx.BasicAuth(*self._credentials)
            )
            if answer.status_code in (400, 401):
                raise SignInRefused(answer.json().get("error", "refused"))
            granted = self._successful(answer)
            self._token = str(granted["access_token"])
            self._renew_at = self._clock() + max(float(granted["expires_in"]) - _RENEW_BEFORE_SECONDS, 1.0)
        return self._token

    async def query(self, document: str, **variables: Any) -> dict[str, Any]:
        """Return the data of one query. Raises QueryRefused, SignInRefused, Unavailable."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        answer = await self._post("/graphql", json={"query": document, "variables": variables}, headers=headers)
        if answer.status_code == 401:
            self.forget_token()
            raise Unavailable("the token is not good any more; signing in again")
        content = self._successful(answer)
        if errors := content.get("errors"):
            raise QueryRefused(frozenset(error.get("extensions", {}).get("code", "UNKNOWN") for error in errors))
        return content["data"]

    async def all_nodes(self, document: str, field: str) -> AsyncIterator[dict[str, Any]]:
        """Yield every row of a list, page by page. The document takes `$after`."""
        after: str | None = None
        while True:
            page = (await self.query(document, after=after))[field]
            for node in page["nodes"]:
                yield node
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    async def _post(self, path: str, **request: Any) -> httpx.Response:
        try:
            return await self._http.post(self._url + path, **request)
        except httpx.TransportError as error:
            raise Unavailable(type(error).__name__) from None

    def _successful(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code != 200:
            raise Unavailable(f"HTTP {answer.status_code}")
        return answer.json()
