"""A server with the settings of production, as the internet meets it: what it says, and above all what it does not."""

from __future__ import annotations

import asyncio
import base64
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from demo.engines import Engines
from tests.conftest import KEYS
from tests.e2e.processes import ROOT
from tests.e2e.servers import Server, serving

FRONT_END = "https://emplois.exemple.test"
NIR = "185057800608436"
JSON = "application/json"


@pytest.fixture(scope="module")
def environ(engines: Engines, migrated_database_url: str) -> dict[str, str]:
    return {
        "ENVIRONMENT": "production",
        "DATABASE_URL": migrated_database_url,
        "REDIS_URL": engines.redis_url,
        "SECRET_KEY": "tests-only-secret-of-more-than-32-characters",
        "ENCRYPTION_KEYS": ",".join(base64.b64encode(key).decode() for key in KEYS.keys),
        "FINGERPRINT_KEY": base64.b64encode(KEYS.fingerprint_key).decode(),
        "AUTH_JWKS_URL": "https://127.0.0.1:9/keys",
        "CORS_ALLOWED_ORIGINS": FRONT_END,
        # So many tests from one machine; what happens above a limit is tested where the clock stands still.
        "RATE_LIMIT_ANONYMOUS_POINTS": "100000",
    }


@pytest.fixture(scope="module")
async def server(environ: dict[str, str]) -> AsyncIterator[Server]:
    async with serving(environ) as server:
        yield server


# -- headers


def _paths(environ: Mapping[str, str]) -> list[str]:
    """Every path that the application routes, with something in place of what varies."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from app import build; from ops.dashboard.pages import ACTIONS, PAGES;"
            " print(*[route.path for route in build().routes], *['/ops' + page.path for page in (*PAGES, *ACTIONS)])",
        ],
        cwd=ROOT,
        env={**environ, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({re.sub(r"\{[^}]*\}", "x", path) for path in told.stdout.split()})


async def test_every_route_answers_with_the_headers_that_keep_browsers_strict(server: Server, environ: dict[str, str]):
    paths = await asyncio.to_thread(_paths, environ)
    assert {"/graphql", "/oauth/token", "/ops", "/webhooks/tally", "/healthz", "/metrics", "/exports/x"} <= set(paths)
    missing: list[str] = []

    for path in [*paths, "/ops/static/ops.css", "/nowhere", "/%2e%2e/etc/passwd"]:
        for method in ("GET", "POST", "OPTIONS", "DELETE"):
            answer = await server.http.request(method, path)
            headers = answer.headers
            expected = {
                "x-content-type-options": headers.get("x-content-type-options") == "nosniff",
                "x-frame-options": headers.get("x-frame-options") == "DENY",
                "referrer-policy": headers.get("referrer-policy") in ("no-referrer", "same-origin"),
                "strict-transport-security": headers.get("strict-transport-security", "").startswith(
                    "max-age=63072000"
                ),
                "content-security-policy": "frame-ancestors 'none'" in headers.get("content-security-policy", ""),
                "cross-origin-opener-policy": headers.get("cross-origin-opener-policy") == "same-origin",
                "x-request-id": len(headers.get("x-request-id", "")) == 32,
                "no server": "server" not in headers and "x-powered-by" not in headers,
                "no 5xx": answer.status_code < 500 or path.startswith("/webhooks/"),
            }
            missing += [f"{method} {path}: {name}" for name, is_there in expected.items() if not is_there]

    assert not missing


async def test_a_handshake_that_is_refused_has_them_too(server: Server):
    answer = await server.http.get(
        "/graphql",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version": "13",
            "Origin": "https://elsewhere.exemple.test",
        },
    )

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


# -- who may read answers from a page of their own


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        (FRONT_END, True),
        ("https://emplois.exemple.test.attacker.test", False),
        ("https://sub.emplois.exemple.test", False),
        ("http://emplois.exemple.test", False),
        ("https://emplois.exemple.test:8443", False),
        ("null", False),
        ("*", False),
    ],
)
async def test_pages_of_named_origins_alone_may_read_answers(server: Server, origin: str, is_allowed: bool):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = await server.http.options("/graphql", headers={"Origin": origin, **asked})
    answer = await server.http.post("/graphql", json={"query": "{ __typename }"}, headers={"Origin": origin})

    assert preflight.status_code == (200 if is_allowed else 400)
    for response in (preflight, answer):
        assert (response.headers.get("access-control-allow-origin") == origin) is is_allowed
        assert response.headers.get("access-control-allow-origin") != "*"
        assert "access-control-allow-credentials" not in response.headers
    if is_allowed:
        exposed = answer.headers["access-control-expose-headers"]
        assert {"RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"} <= set(exposed.split(", "))
        assert "Origin" in answer.headers["vary"]


# -- what errors tell, over each transport

Answers = list[dict[str, Any]]


async def by_post(server: Server, body: dict[str, Any]) -> Answers:
    return (await server.http.post("/graphql", json=body)).json()["errors"]


async def by_event_stream(server: Server, body: dict[str, Any]) -> Answers:
    response = await server.http.post("/graphql", json=body, headers={"Accept": "text/event-stream"})
    data = next(line for line in response.text.splitlines() if line.startswith("data: {"))
    return orjson.loads(data.removeprefix("data: "))["errors"]


async def by_socket(server: Server, body: dict[str, Any]) -> Answers:
    async with _socket(server) as client:
        await client.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": body}).decode())
        async with asyncio.timeout(10):
            message = orjson.loads(await client.recv())
    return message["payload"] if message["type"] == "error" else message["payload"]["errors"]


@asynccontextmanager
async def _socket(server: Server) -> AsyncGenerator[Any]:
    url = server.url.replace("http", "ws", 1) + "/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as client:
        await client.send('{"type":"connection_init"}')
        assert orjson.loads(await client.recv()) == {"type": "connection_ack"}
        yield client


TRANSPORTS = {"POST": by_post, "event stream": by_event_stream, "socket": by_socket}
STATES = "query($s: [JobApplicationState!]) { jobApplications(filter: { states: $s }) { totalCount } }"
SEEKERS = "query($f: JobSeekerFilter) { jobSeekers(filter: $f) { totalCount } }"
WRONG: dict[str, dict[str, Any]] = {
    "a field": {"query": "{ departmen { code } }"},
    "a field of a type": {"query": "{ departments { codee } }"},
    "a type": {"query": "{ node(id: 1) { ... on JobSeekr { id } } }"},
    "an argument": {"query": '{ department(cod: "57") { name } }'},
    "a directive": {"query": "{ departments { code @skipp(if: true) } }"},
    "an argument of a directive": {"query": "{ departments { code @skip(iff: true) } }"},
    "an enum": {"query": "{ jobApplications(filter: { states: [NEWW] }) { totalCount } }"},
    "an enum in a variable": {"query": STATES, "variables": {"s": ["NEWW"]}},
    "a field of an input": {"query": "{ jobApplications(filter: { stat: [NEW] }) { totalCount } }"},
    "a field of an input in a variable": {"query": SEEKERS, "variables": {"f": {"searc": "a"}}},
    "the type of a variable": {"query": "query($f: JobSeekerFilte) { jobSeekers(filter: $f) { totalCount } }"},
    "an unknown variable": {"query": "query($a: Int) { jobSeekers(first: $aa) { totalCount } }"},
    "a fragment": {"query": "{ ...Departmen } fragment Department on Query { departments { code } }"},
    "an operation": {"query": "query Departments { departments { code } }", "operationName": "Department"},
    "syntax": {"query": "{ departments { code }"},
    "a number in a variable": {
        "query": "query($n: Int) { jobSeekers(first: $n) { totalCount } }",
        "variables": {"n": NIR},
    },
    "a number in an input": {"query": SEEKERS, "variables": {"f": {"search": {"nir": NIR}}}},
    "a number in a list": {"query": STATES, "variables": {"s": [NIR]}},
    "a number in a literal": {"query": f'{{ jobSeekers(first: "{NIR}") {{ totalCount }} }}'},
    "a number in wrong syntax": {"query": f'{{ viewer {{ kind "{NIR}" }}'},
    "a long name": {"query": "{ " + "a" * 5_000 + " }"},
    "a long operation name": {"query": "query A { departments { code } }", "operationName": "a" * 5_000},
    "a long value": {"query": SEEKERS, "variables": {"f": "a" * 5_000}},
    "a cursor": {"query": '{ communes(search: "x", first: -1) { name } }'},
    "a subscription": {"query": "subscription { participationStatusChanged { cursor } }"},
    "somebody else's field": {"query": "{ viewer { kind } jobSeekers { totalCount } }"},
    "the schema": {"query": "{ __schema { types { name } } }"},
    "too much": {"query": "{ " + " ".join(f"a{n}: departments {{ code }}" for n in range(60)) + " }"},
}
INSIDE = (
    "Traceback",
    'File "',
    ".py",
    "site-packages",
    "SELECT",
    "asyncpg",
    "tortoise",
    "strawberry",
    "graphql.",
    "/work",
)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_no_error_tells_more_than_it_must_over_any_transport(server: Server, transport: str):
    leaks: list[str] = []

    for name, body in WRONG.items():
        errors = await TRANSPORTS[transport](server, body)
        text = orjson.dumps(errors).decode()
        if not errors or not all(error["extensions"]["code"] for error in errors):
            leaks.append(f"{name}: no typed error")
        if "did you mean" in text.lower():
            leaks.append(f"{name}: a suggestion")
        if NIR in text:
            leaks.append(f"{name}: the number")
        if any(word in text for word in INSIDE):
            leaks.append(f"{name}: how it is made inside")
        if any(len(error["message"]) > 500 for error in errors):
            leaks.append(f"{name}: a long echo")
        if any(error["extensions"]["code"] == "INTERNAL" for error in errors):
            leaks.append(f"{name}: a fault of the server")

    assert not leaks


async def test_all_transports_tell_the_same_of_the_same_mistake(server: Server):
    for name, body in WRONG.items():
        if name in ("a subscription", "somebody else's field"):
            continue  # what is asked of whom differs: a POST answers no subscription
        told = [[error["message"] for error in await ask(server, body)] for ask in TRANSPORTS.values()]

        assert told[0] == told[1] == told[2], name


@pytest.mark.parametrize("path", ["/graphql/", "/graphql%2F", "/metrics/", "/oauth/token/", "/webhooks/tally/"])
async def test_a_slash_too_many_leads_to_no_host_that_the_request_named(server: Server, path: str):
    answers = [
        await server.http.request(method, path, headers={"Host": "elsewhere.exemple.test"})
        for method in ("GET", "POST")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert not any("location" in answer.headers for answer in answers)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "path", ["/graphql", "/oauth/token", "/exports/x", "/ops/sign-in", "/webhooks/rdv-insertion", "/nowhere"]
)
async def test_what_is_no_request_at_all_is_told_no_more(server: Server, method: str, path: str):
    bodies = (b"\xff" * 100, b"[" * 10_000, b'{"query": 1}', b"a=" + NIR.encode(), b"")

    answers = [
        await server.http.request(
            method, path, content=body, headers={"Content-Type": JSON, "Cookie": "traverse_ops=x"}
        )
        for body in bodies
    ]

    for answer in answers:
        assert answer.status_code < 500 or path.startswith("/webhooks/")
        assert not any(word in answer.text for word in ("Traceback", 'File "', "site-packages", "SELECT", "asyncpg"))
        assert NIR not in answer.text


async def test_there_is_neither_a_page_to_try_operations_nor_a_query_in_an_address(server: Server):
    page = await server.http.get("/graphql", headers={"Accept": "text/html"})
    assets = await server.http.get("/graphql/static/index.html")
    query = await server.http.get("/graphql", params={"query": "{ __typename }"})

    assert page.status_code in (405, 406)
    assert assets.status_code == 404
    assert (query.status_code, query.headers["allow"]) == (405, "POST")
