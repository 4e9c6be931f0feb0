"""`traverse doctor`: is everything there that this installation needs, and what to do about what is not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg
from rich.table import Table
from rich.text import Text

from clients.errors import PartnerError
from clients.mail import MailConfigurationError
from clients.mail_client import MailClient
from models.database import DatabaseConfig, close_database, connection_parameters, open_database
from models.enums import Partner
from models.pending_migrations import missing_migrations
from ops.communes import describe_table

_TIMEOUT_SECONDS = 5
_OLDEST_POSTGRESQL = 15
_OLDEST_VALKEY, _OLDEST_REDIS = (7, 2), (7, 0)


class Health(Enum):
    """OFF: not set up, on purpose as far as we can tell."""

    GOOD = "ok"
    OFF = "off"
    BAD = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. `advice` is empty where there is nothing to do."""

    subject: str
    health: Health
    found: str
    advice: str = ""


_COLOURS = {Health.GOOD: "green", Health.OFF: "yellow", Health.BAD: "red"}


def table_of(findings: Sequence[Finding]) -> Table:
    """Return the findings as a table for a terminal."""
    table = Table("", "", "Found", "What to do")
    for finding in findings:
        state = Text(finding.health.value, style=_COLOURS[finding.health])
        # As text: what was found may look like markup.
        table.add_row(state, Text(finding.subject), Text(finding.found), Text(finding.advice))
    return table


async def examine(
    *,
    database: DatabaseConfig,
    valkey_info: Callable[[], Awaitable[Mapping[str, Any]]],
    partners: Mapping[Partner, Sequence[str]],
    relay: MailClient | None,
    webhook_secrets: Mapping[Partner, bool],
) -> list[Finding]:
    """Look at everything at once. `partners`: the addresses of each; none for one that is not set up.

    `webhook_secrets`: whether those who send webhooks have a secret to sign them with.
    """
    findings = await asyncio.gather(
        _database(database),
        _valkey(valkey_info),
        *(_partner(partner, addresses) for partner, addresses in partners.items()),
        _relay(relay),
    )
    first, *others = findings
    kept = await _kept(database, reachable=first.health is Health.GOOD, has_api_geo=bool(partners[Partner.API_GEO]))
    doors = [
        _door(partner, is_set_up=bool(partners[partner]), has_secret=has) for partner, has in webhook_secrets.items()
    ]
    return [first, *kept, *others, *doors]


async def _database(config: DatabaseConfig) -> Finding:
    advice = "start PostgreSQL, or correct DATABASE_URL"
    try:
        connection = cast("Any", await asyncpg.connect(**connection_parameters(config.url), timeout=_TIMEOUT_SECONDS))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding("PostgreSQL", Health.BAD, f"no connection: {type(error).__name__}", advice)
    try:
        version = connection.get_server_version()
    finally:
        await connection.close()
    if version.major < _OLDEST_POSTGRESQL:
        return Finding("PostgreSQL", Health.BAD, f"version {version.major}", f"{_OLDEST_POSTGRESQL} or later is needed")
    return Finding("PostgreSQL", Health.GOOD, f"version {version.major}.{version.micro}")


async def _kept(config: DatabaseConfig, *, reachable: bool, has_api_geo: bool) -> list[Finding]:
    """What the database holds: its schema, and the communes once there is a table for them."""
    if not reachable:
        return [Finding("Migrations", Health.BAD, "cannot be read without PostgreSQL", "see PostgreSQL")]
    await open_database(config)
    try:
        missing = await missing_migrations()
        if missing:
            return [Finding("Migrations", Health.BAD, f"missing: {', '.join(missing)}", "run `traverse migrate`")]
        communes = await _communes(has_api_geo=has_api_geo)
    finally:
        await close_database()
    return [Finding("Migrations", Health.GOOD, "up to date"), communes]


async def _communes(*, has_api_geo: bool) -> Finding:
    number, problem = await describe_table(datetime.now(UTC))
    found = f"{number:,} in the database" + (f", {problem}" if problem and number else "")
    if not has_api_geo:
        return Finding("Communes", Health.OFF, f"{found}; API Géo is not set up", "set API_GEO_BASE_URL to use them")
    if not number:
        advice = "start a worker, or run `traverse communes sync`"
        return Finding("Communes", Health.OFF, f"{problem}: each is asked for at API Géo", advice)
    if problem:
        return Finding("Communes", Health.BAD, found, "see the worker's log; run `traverse communes sync`")
    return Finding("Communes", Health.GOOD, found)


async def _valkey(info: Callable[[], Awaitable[Mapping[str, Any]]]) -> Finding:
    advice = "start Valkey, or correct REDIS_URL"
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            answer = await info()
    except (OSError, TimeoutError) as error:
        return Finding("Valkey", Health.BAD, f"no connection: {type(error).__name__}", advice)
    name, oldest = ("Valkey", _OLDEST_VALKEY) if "valkey_version" in answer else ("Redis", _OLDEST_REDIS)
    version = str(answer.get("valkey_version") or answer.get("redis_version") or "0.0")
    if tuple(int(part) for part in version.split(".")[:2]) < oldest:
        needed = ".".join(f"{part}" for part in oldest)
        return Finding("Valkey", Health.BAD, f"{name} {version}", f"{name} {needed} or later is needed")
    policy = str(answer.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        # Jobs would be dropped in silence when memory runs out; the sweeps would find their rows, but late.
        return Finding("Valkey", Health.BAD, f"{name} {version}, evicts ({policy})", "set maxmemory-policy noeviction")
    return Finding("Valkey", Health.GOOD, f"{name} {version}")


# This server calls neither: it hands out links, and may well run where it could not follow them.
_LINKED_TO = frozenset({Partner.DIAGORIENTE, Partner.TALLY})


async def _partner(partner: Partner, addresses: Sequence[str]) -> Finding:
    if not addresses:
        return Finding(partner.label, Health.OFF, "not set up", "set its variables to use it")
    if partner in _LINKED_TO:
        return Finding(partner.label, Health.GOOD, "linked to; people's browsers go there")
    for host, port, is_tls in sorted({_endpoint(address) for address in addresses}):
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                context = ssl.create_default_context() if is_tls else None
                _, writer = await asyncio.open_connection(host, port, ssl=context)
        except ssl.SSLError as error:
            found = f"{host}:{port}: TLS refused ({error.reason})"
            return Finding(partner.label, Health.BAD, found, "check its address, and the certificates of this machine")
        except (OSError, TimeoutError) as error:
            found = f"{host}:{port}: no connection ({type(error).__name__})"
            return Finding(partner.label, Health.BAD, found, "check its address, the network and the firewall")
        writer.close()
    return Finding(partner.label, Health.GOOD, "reachable")


async def _relay(client: MailClient | None) -> Finding:
    subject = "Mail relay"
    if client is None:
        return Finding(subject, Health.OFF, "not set up", "set SMTP_URL and MAIL_FROM to send mails")
    try:
        await client.check()
    except MailConfigurationError as error:
        return Finding(subject, Health.BAD, f"{error}", "correct SMTP_URL: scheme or credentials")
    except PartnerError as error:
        return Finding(subject, Health.BAD, f"{error}", "check SMTP_URL and the network")
    return Finding(subject, Health.GOOD, "takes a session as a mail would open it")


def _door(partner: Partner, *, is_set_up: bool, has_secret: bool) -> Finding:
    subject, variable = f"Webhooks of {partner.label}", f"{partner.name}_WEBHOOK_SECRET"
    if has_secret:
        return Finding(subject, Health.GOOD, "signatures can be verified")
    if is_set_up:
        found = "no secret: the door answers 503, and what is sent is lost once its sender gives up"
        return Finding(subject, Health.BAD, found, f"set {variable}")
    return Finding(subject, Health.OFF, "not set up", f"set {variable} to take them")


def _endpoint(address: str) -> tuple[str, int, bool]:
    parts = urlsplit(address)
    is_tls = parts.scheme == "https"
    return parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls
