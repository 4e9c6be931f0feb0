"""The reference page of limits: what the code and its settings say of how much one may ask."""

from __future__ import annotations

from datetime import timedelta

from connections import MOST_FRAGMENTS
from execution.limits import Limits
from request_heads import MOST_HEAD_BYTES, MOST_HEADERS
from resolvers.windows import MAXIMUM_SIZE
from services.rate_limits.ways_in import FIELDS_PER_POINT
from settings import Settings, variables_of  # noqa: TID251 (this page describes them)
from webhooks.door import MAX_BODY_BYTES

_HEAD = """\
<!-- Written by `python -m docs.generate` from the limits in the code: edit docs/limits_page.py. -->

# Limits

How much may be asked, by every way in. What is above a limit is refused before it costs much, with a code that says
so: `LIMIT_EXCEEDED` for what is too much at once, `RATE_LIMITED` for what is too much in a minute. Limits with a
variable are [settings](settings.md).
"""

_RATES = """\

## In a minute

| of whom | what is counted | at most | variable |
| --- | --- | --- | --- |
{rates}
An operation takes **1 point to begin**, and 1 more for each {fields_per_point} fields that it may resolve, over POST,
GET, event streams and WebSockets alike; what turns out to be invalid has taken its one point. Events of a
subscription that was let begin cost nothing.

The whole of a minute may be taken at once; then it comes back evenly. Whoever is refused loses nothing by asking
again too early, and gets nothing either.

- **Answers say where you stand**, in the fields of the IETF's draft [RateLimit header
  fields](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/): `RateLimit-Policy:
  "account";q=1200;qu="points";w=60` and `RateLimit: "account";r=1150;t=3`, where `r` points are left and the full
  quota is there again after `t` seconds. Answers that caches may keep do not have them.
- **A refusal** is 429 with `Retry-After` under every media type. Its error has `extensions.code` `RATE_LIMITED` and
  `extensions.retryAfterSeconds`, and a message in French that a page can show as it is. On a WebSocket it is an
  `error` message of that `id`; the socket goes on.
- **An address** is the one in front of the last proxy of `TRUSTED_PROXIES`; of IPv6, all of one /64 count as one.
  Without that variable behind a proxy, everybody is one client: the log says `proxy_not_trusted`.
- `/healthz`, `/readyz` and `/metrics` are not counted. A webhook that is signed costs its sender nothing; what is
  refused is counted, and above the limit nothing of that address is read.
- **Processes count together** through Valkey, twice a second; for half a second, each may let a client have its
  quota. While Valkey is away each counts by itself ([decision](../adr/{adr})).

Some fields that ask a partner have a limit of their own beside it (`…_PER_MINUTE` in [settings](settings.md)).
"""

_OPERATION = """\

## Of one operation

| what | at most | variable |
| --- | --- | --- |
{operation}
**Its cost** is the number of fields that it may resolve: each field is one, and what is selected of a list counts as
often as the list may have rows. A page has as many rows as `first` or `last` says, 20 where neither does; a list that
is asked for by ids has as many as ids; of other lists the schema knows how long they become, or {list_estimate} is
assumed. Fragments count where they are spread. The operation is refused before it runs.

To be told, send `"extensions": {{"cost": true}}` with a query or mutation, over any transport:

```json
{{
  "data": {{}},
  "extensions": {{
    "cost": {{"fields": 652, "most": 20000, "points": 2, "pointsLeft": 1198, "allPointsInSeconds": 1}}
  }}
}}
```

`fields` is the cost, `most` its limit, `points` what this operation took. The cost of a subscription is that of one
event, and is told by no event: ask for the same selection in a query.

Operations are not batched, multipart requests and uploads are not accepted, `@defer` and `@stream` are not offered.

**The schema** is told to whom `GRAPHQL_INTROSPECTION` names: everybody outside of production, and staff in
production, unless it says otherwise. The standard query of tools fits into the limits; one that follows types in
circles does not. Everybody else finds it in `schema.graphql`, and is answered `FORBIDDEN`.
"""

_CONNECTIONS = """\

## Of a connection

| what | at most | beyond it | variable |
| --- | --- | --- | --- |
{connections}"""


def limits_page(*, adr: str = "0032-clients-are-counted-in-each-process.md") -> str:
    """Return the page, as it must be committed."""
    limits = Limits()
    return (
        _HEAD
        + _RATES.format(rates=_rates(), fields_per_point=FIELDS_PER_POINT, adr=adr)
        + _OPERATION.format(operation=_operation(limits), list_estimate=limits.list_estimate)
        + _CONNECTIONS.format(connections=_connections())
    )


def _rates() -> str:
    rows = (
        ("an account, in all its organisations", "points of operations", "RATE_LIMIT_ACCOUNT_POINTS"),
        ("a machine client", "points of operations", "RATE_LIMIT_PARTNER_POINTS"),
        ("an address where nobody is signed in", "points of operations", "RATE_LIMIT_ANONYMOUS_POINTS"),
        ("an address", "requests and handshakes, to any path", "RATE_LIMIT_ADDRESS_REQUESTS"),
        ("an address", "requests to `/oauth/token`", "PARTNER_TOKENS_PER_MINUTE"),
        ("an address", "attempts to sign in to `/ops`", "RATE_LIMIT_OPS_SIGN_INS"),
        ("an address", "webhooks that are refused", "RATE_LIMIT_REFUSED_WEBHOOKS"),
    )
    return "".join(f"| {whom} | {what} | {_number(_default(name))} | `{name}` |\n" for whom, what, name in rows)


def _operation(limits: Limits) -> str:
    rows = (
        ("characters of the document", limits.characters, ""),
        ("tokens of the document", limits.tokens, ""),
        ("operations in the document", limits.operations, ""),
        ("levels", _default("GRAPHQL_MAX_DEPTH"), "`GRAPHQL_MAX_DEPTH`"),
        ("levels of introspection", limits.introspection_depth, ""),
        ("aliases", limits.aliases, ""),
        ("fields, fragments spread out", limits.fields, ""),
        ("directives", limits.directives, ""),
        ("digits of a number in the document", limits.digits, ""),
        ("cost", _default("GRAPHQL_MAX_COST"), "`GRAPHQL_MAX_COST`"),
        ("rows of a page (`first`, `last`)", MAXIMUM_SIZE, ""),
        ("seconds, for an event of a subscription as well", _default("REQUEST_DEADLINE"), "`REQUEST_DEADLINE`"),
    )
    return "".join(f"| {what} | {_number(most)} | {variable} |\n" for what, most, variable in rows)


def _connections() -> str:
    rows = (
        ("bytes of a request's head", MOST_HEAD_BYTES, "431", ""),
        ("headers of a request", MOST_HEADERS, "431", ""),
        ("bytes of a body to `/graphql`", _default("GRAPHQL_MAX_BODY_BYTES"), "413", "`GRAPHQL_MAX_BODY_BYTES`"),
        ("bytes of a webhook", MAX_BODY_BYTES, "413", ""),
        (
            "bytes of a WebSocket message",
            _default("GRAPHQL_SOCKET_MAX_MESSAGE_BYTES"),
            "close 1009",
            "`GRAPHQL_SOCKET_MAX_MESSAGE_BYTES`",
        ),
        ("fragments of a WebSocket message", MOST_FRAGMENTS, "close 1009", ""),
        (
            "WebSocket messages a second",
            _default("GRAPHQL_SOCKET_MESSAGES_PER_SECOND"),
            "close 1008",
            "`GRAPHQL_SOCKET_MESSAGES_PER_SECOND`",
        ),
        (
            "operations under way on a WebSocket",
            _default("GRAPHQL_SOCKET_MAX_OPERATIONS"),
            "`LIMIT_EXCEEDED`",
            "`GRAPHQL_SOCKET_MAX_OPERATIONS`",
        ),
        (
            "seconds to `connection_init`",
            _default("GRAPHQL_SOCKET_INIT_TIMEOUT"),
            "close 4408",
            "`GRAPHQL_SOCKET_INIT_TIMEOUT`",
        ),
        (
            "sockets and event streams of a client, in each process",
            _default("GRAPHQL_STREAMS_MAX_PER_CLIENT"),
            "429",
            "`GRAPHQL_STREAMS_MAX_PER_CLIENT`",
        ),
        ("sockets and event streams of a process", _default("GRAPHQL_STREAMS_MAX"), "503", "`GRAPHQL_STREAMS_MAX`"),
    )
    return "".join(f"| {what} | {_number(most)} | {beyond} | {variable} |\n" for what, most, beyond, variable in rows)


def _default(variable: str) -> float:
    default = variables_of(Settings)[variable.lower()].default
    return default.total_seconds() if isinstance(default, timedelta) else default


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else str(value)
