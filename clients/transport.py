"""The wire: httpx in one place, and what can go wrong on it as values.

Nothing here raises what httpx raises: its exceptions hold the request, and the request holds personal data.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from clients.breaker import Verdict
from clients.errors import Delivery, ErrorCode

JSON = Mapping[str, Any] | list[Any]

# httpx logs whole URLs at INFO. Some hold a person or a signed token, so those lines are dropped here, where no
# configuration of logging can bring them back.
logging.getLogger("httpx").addFilter(lambda record: record.levelno >= logging.WARNING)

# Raised before the first byte of the request left: the call certainly had no effect.
_NOT_SENT = (
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError),
    httpx.InvalidURL,
)
# Says something about us, nothing about the partner's health.
_OURS = (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file of a multipart form."""

    file_name: str
    content: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRequest:
    """A request in plain values; `json`, `form` and `content` exclude each other.

    `url` is absolute, or a path under the base URL of the HTTP client. Personal data belongs in the body: what stands
    in `url` or `params` ends up in access logs, and where a partner wants it there all the same, it must go no further
    than the wire: nothing but the method prints itself. With `files` the form is sent as multipart; a list repeats its
    name.
    """

    method: str
    url: str = field(repr=False)
    params: Mapping[str, str | list[str]] | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    json: JSON | None = field(default=None, repr=False)
    form: Mapping[str, str | list[str]] | None = field(default=None, repr=False)
    files: Mapping[str, Upload] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Trouble:
    """No complete answer. A value, not an exception: raised outside any handler it chains nothing personal."""

    reason: str
    code: ErrorCode
    delivery: Delivery
    verdict: Verdict  # NEUTRAL: ours, not the partner's
    http_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """One complete HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def build_http_client(
    base_url: str,
    *,
    connect: float = 3.0,
    read: float = 10.0,
    write: float = 10.0,
    pool: float = 1.0,
    max_connections: int = 10,
    keepalive_expiry: float = 4.0,
    headers: Mapping[str, str] | None = None,
) -> httpx.AsyncClient:
    """One client a partner, to be closed by whoever built it, on the event loop that uses it. All times in seconds.

    `read` is per chunk: the whole call is bounded by `CallPolicy.deadline_seconds`. `keepalive_expiry` stays below the
    5 s after which common servers close idle connections, so that a request does not meet a closing one. Certificates
    are always verified, and there is no way to ask otherwise.
    """
    limits = httpx.Limits(
        max_connections=max_connections,
        max_keepalive_connections=max_connections,
        keepalive_expiry=keepalive_expiry,
    )
    return httpx.AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=httpx.Timeout(connect=connect, read=read, write=write, pool=pool),
        # The transport repeats failures to connect only: a request that may have left is never repeated below us.
        transport=httpx.AsyncHTTPTransport(verify=_authorities(), trust_env=False, limits=limits, retries=1),
        follow_redirects=False,
        trust_env=False,
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Return what verifies partners' certificates: once a process, since reading all authorities takes its time."""
    return httpx.create_ssl_context(trust_env=False)


async def exchange(
    http: httpx.AsyncClient, request: PartnerRequest, *, deadline_seconds: float, max_bytes: int
) -> RawAnswer | Trouble:
    """Send the request once and read the whole answer, within the deadline and the size."""
    status: int | None = None
    try:
        async with asyncio.timeout(deadline_seconds):
            response = await http.send(build_request(http, request), stream=True, follow_redirects=False)
            status = response.status_code
            try:
                body = await _read_capped(response, max_bytes)
            finally:
                await response.aclose()
    except (TimeoutError, httpx.InvalidURL, httpx.HTTPError) as error:
        return trouble_of(error, status)
    if body is None:
        return Trouble(
            "the answer is larger than allowed", ErrorCode.TOO_LARGE, Delivery.UNKNOWN, Verdict.HEALTHY, status
        )
    return RawAnswer(status=status, headers=response.headers, body=body)


def build_request(http: httpx.AsyncClient, request: PartnerRequest) -> httpx.Request:
    return http.build_request(
        request.method,
        request.url,
        params=request.params,
        headers=request.headers,
        json=request.json,
        data=request.form,
        files=_files_of(request),
        content=request.content,
    )


def _files_of(request: PartnerRequest) -> dict[str, tuple[str, bytes, str]] | None:
    if request.files is None:
        return None
    return {name: (upload.file_name, upload.content, upload.content_type) for name, upload in request.files.items()}


async def _read_capped(response: httpx.Response, max_bytes: int) -> bytes | None:
    """The body, or None as soon as it passes the cap: the rest is not read and the connection is dropped."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > max_bytes:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def trouble_of(error: TimeoutError | httpx.InvalidURL | httpx.HTTPError, status: int | None) -> Trouble:
    """What an accident on the wire means. `status`: of the answer that had begun, if any."""
    delivery = Delivery.NOT_SENT if isinstance(error, _NOT_SENT) else Delivery.UNKNOWN
    verdict = Verdict.NEUTRAL if isinstance(error, _OURS) else Verdict.FAILING
    match error:
        case TimeoutError():
            reason = "no complete answer before the deadline"
        case httpx.InvalidURL():
            reason = "the configured address is not a URL"
        case httpx.PoolTimeout():
            reason = "no free connection in our own pool in time"
        case httpx.ConnectTimeout():
            reason = "the connection was not opened in time"
        case httpx.ConnectError():
            reason = "the connection could not be opened"
        case httpx.TimeoutException():
            reason = "the partner was silent for too long"
        case httpx.NetworkError():
            reason = "the connection broke"
        case _:
            reason = "the exchange did not follow HTTP"
    return Trouble(reason, ErrorCode.HTTP_ERROR, delivery, verdict, status)
