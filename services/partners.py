"""Machine clients of partners: registered by whoever runs this server, signed in by a secret that is shown once.

Sources: RFC 6749 §2.3.1 and §4.4 (client credentials), RFC 6819 §5.1.4.2.2 (entropy of secrets).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import orjson
import structlog

from models import Company, PartnerClient, PartnerSecret
from models.database import fetch_all, run_in_transaction, write
from models.enums import PartnerScope

log = structlog.get_logger(__name__)

# Scanners of repositories find a secret that was committed by its prefix.
_PREFIX = "trv_"
_SECRET_BYTES = 32
_MAX_CLIENT_ID = 255
_NOBODY = "0" * 64
_SECRETS = """
SELECT client.subject, client.scopes::text AS scopes, secret.id AS secret_id, secret.digest
FROM partner_client client
JOIN partner_secret secret ON secret.partner_client_id = client.id
WHERE client.subject = $1 AND client.revoked_at IS NULL AND (secret.expires_at IS NULL OR secret.expires_at > $2)
"""
_USED = "UPDATE partner_secret SET last_used_at = $2 WHERE id = $1 RETURNING id"
_REVOKE = "UPDATE partner_client SET revoked_at = $2 WHERE subject = $1 AND revoked_at IS NULL RETURNING id"
_EXPIRE = """
UPDATE partner_secret SET expires_at = $2
WHERE partner_client_id = $1 AND (expires_at IS NULL OR expires_at > $2) RETURNING id
"""
_LIST = """
SELECT client.subject AS client_id, client.name, client.scopes::text AS scopes, client.created_at, client.revoked_at,
    ARRAY(SELECT company.siret FROM partner_client_company link JOIN company ON company.id = link.company_id
        WHERE link.partner_client_id = client.id ORDER BY company.siret) AS sirets,
    (SELECT count(*) FROM partner_secret secret WHERE secret.partner_client_id = client.id
        AND (secret.expires_at IS NULL OR secret.expires_at > $1)) AS secrets,
    (SELECT max(secret.last_used_at) FROM partner_secret secret
        WHERE secret.partner_client_id = client.id) AS last_used_at
FROM partner_client client ORDER BY client.created_at, client.subject
"""


class PartnerRefused(Exception):
    """It cannot be done as asked. `str()` is one sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a machine client signs in with. The secret is nowhere else: it cannot be shown again."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A machine client whose secret was right."""

    client_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSummary:
    """`secrets`: how many are valid."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    sirets: tuple[str, ...]
    secrets: int
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def register(
    name: str, *, scopes: Collection[PartnerScope], sirets: Collection[str], now: datetime
) -> Credentials:
    """Enter a machine client that may read, of these companies, what the scopes name. Raises PartnerRefused."""
    if not name.strip():
        raise PartnerRefused("name: empty; say whose machine it is")
    if not scopes or not sirets:
        raise PartnerRefused("a machine client needs a scope and a company at least: without, it sees nothing")

    async def enter() -> Credentials:
        companies = await Company.filter(siret__in=list(sirets))
        if unknown := sorted(set(sirets) - {company.siret for company in companies}):
            raise PartnerRefused(f"SIRET {', '.join(unknown)}: no company of the platform has this number")
        client = await PartnerClient.create(
            subject=f"partner-{uuid4()}", name=name.strip(), scopes=sorted(scope.value for scope in scopes)
        )
        await client.companies.add(*companies)
        return await _give_secret(client, now=now)

    credentials = await run_in_transaction(enter)
    log.info("partner_registered", client_id=credentials.client_id, companies=len(set(sirets)))
    return credentials


async def replace_secret(client_id: str, *, keep_others_for: timedelta, now: datetime) -> Credentials:
    """Give a new secret; those before it end after a while, in which they are exchanged. Raises PartnerRefused."""

    async def replace() -> Credentials:
        client = await PartnerClient.filter(subject=client_id).select_for_update().first()
        if client is None:
            raise PartnerRefused(f'client "{client_id}": there is none; see `traverse partner list`')
        if client.revoked_at is not None:
            raise PartnerRefused(f'client "{client_id}": revoked for good; create another one')
        await write(_EXPIRE, client.id, now + keep_others_for)
        return await _give_secret(client, now=now)

    credentials = await run_in_transaction(replace)
    log.info("partner_secret_replaced", client_id=client_id)
    return credentials


async def revoke(client_id: str, *, now: datetime) -> bool:
    """End a machine client, its tokens included, at once. False: there is none, or it is revoked already."""
    revoked = bool(await write(_REVOKE, client_id, now))
    if revoked:
        log.info("partner_revoked", client_id=client_id)
    return revoked


async def list_partners(*, now: datetime) -> list[PartnerSummary]:
    """All there are, revoked ones included, the oldest first."""
    return [
        PartnerSummary(
            client_id=row["client_id"],
            name=row["name"],
            scopes=tuple(orjson.loads(row["scopes"])),
            sirets=tuple(row["sirets"]),
            secrets=row["secrets"],
            created_at=row["created_at"],
            last_used_at=row["last_used_at"],
            revoked_at=row["revoked_at"],
        )
        for row in await fetch_all(_LIST, now)
    ]


async def authenticate(client_id: str, secret: str, *, now: datetime) -> SignedIn | None:
    """Return who has this secret. None, and nothing more, whatever it is that is wrong."""
    digest = _digest(secret)
    rows = await _known_secrets(client_id, now)
    # As long for a client that does not exist as for a wrong secret, and for the first secret as for the last.
    known = [row["digest"] for row in rows] or [_NOBODY]
    matches = [hmac.compare_digest(digest, other) for other in known]
    if not any(matches) or not rows:
        return None
    row = rows[matches.index(True)]
    await write(_USED, row["secret_id"], now)
    return SignedIn(client_id=row["subject"], scopes=frozenset(orjson.loads(row["scopes"])))


async def _known_secrets(client_id: str, now: datetime) -> Sequence[dict[str, str]]:
    # A NUL, or half a surrogate pair, is no text that PostgreSQL takes.
    if not client_id.isprintable() or len(client_id) > _MAX_CLIENT_ID:
        return []
    return [dict(row) for row in await fetch_all(_SECRETS, client_id, now)]


async def _give_secret(client: PartnerClient, *, now: datetime) -> Credentials:
    secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    await PartnerSecret.create(partner_client=client, digest=_digest(secret), created_at=now)
    return Credentials(client_id=client.subject, secret=secret)


def _digest(secret: str) -> str:
    """A plain hash is enough for 256 random bits: there is nothing to try out."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
