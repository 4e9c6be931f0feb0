"""Who sent a webhook: the two schemes of RDV-Insertion, over the bytes as they came.

The scheme has no timestamp and no delivery number: a replay looks like the original, and is told by its fingerprint.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

import orjson

JWT_LEEWAY = timedelta(seconds=60)

_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAX_TOKEN = 8_192
_JWT_CLAIMS = ("id", "address", "starts_at")


class Encoding(StrEnum):
    """How the body travelled. It is always signed as UTF-8, and has been seen to leave as LATIN-1."""

    UTF_8 = "utf-8"
    LATIN_1 = "latin-1"


@dataclass(frozen=True, slots=True)
class VerifiedBody:
    """The signed bytes, in UTF-8: read these, and not what arrived."""

    content: bytes = field(repr=False)
    encoding: Encoding


def verify_webhook(
    body: bytes,
    *,
    signature: str | None,
    authorization: str | None,
    secrets: Sequence[str],
    now: datetime,
    accept_jwt: bool = False,
) -> VerifiedBody | None:
    """The body that one of the secrets signed; None when it is to be refused.

    `signature` is the header X-RDVI-SIGNATURE. A request with both headers must pass by its signature: a JWT covers
    three values of the body only.
    """
    if signature is not None:
        return verify_hmac(body, signature, secrets)
    kind, _, token = (authorization or "").partition(" ")
    if accept_jwt and kind.lower() == "bearer" and verify_jwt(token, body, secrets, now=now):
        return VerifiedBody(body, Encoding.UTF_8)
    return None


def verify_hmac(body: bytes, signature: str, secrets: Sequence[str]) -> VerifiedBody | None:
    """Lower-case hexadecimal HMAC-SHA256. First the bytes as they came, then re-encoded from LATIN-1."""
    if not _SIGNATURE.fullmatch(signature):
        return None
    expected = bytes.fromhex(signature)
    for candidate in _candidates(body):
        for secret in secrets:
            if secret and hmac.compare_digest(_digest(secret, candidate.content), expected):
                return candidate
    return None


def verify_jwt(token: str, body: bytes, secrets: Sequence[str], *, now: datetime) -> bool:
    """Whether the token is in date, signed by one of the secrets, and about the appointment of the body.

    Written out rather than left to a JWT library: the expiry stands in the header, where no library looks for it, and
    the secrets may be shorter than libraries like. The algorithm is HS256 whatever the token says of itself.
    """
    parts = token.split(".") if len(token) <= _MAX_TOKEN else []
    if len(parts) != 3 or not token.isascii():
        return False
    signed, _, _ = token.rpartition(".")
    signature = _decode_part(parts[2])
    if signature is None or not any(
        secret and hmac.compare_digest(_digest(secret, signed.encode()), signature) for secret in secrets
    ):
        return False
    header, claims = _json_object(_decode_part(parts[0])), _json_object(_decode_part(parts[1]))
    return _is_in_date(header, now) and _is_about(claims, body)


def _candidates(body: bytes) -> Iterator[VerifiedBody]:
    yield VerifiedBody(body, Encoding.UTF_8)
    if not body.isascii():
        yield VerifiedBody(body.decode("latin-1").encode(), Encoding.LATIN_1)


def _is_in_date(header: Mapping[str, Any], now: datetime) -> bool:
    expires_at = header.get("exp")
    if header.get("alg") != "HS256" or not isinstance(expires_at, int) or isinstance(expires_at, bool):
        return False
    return now.timestamp() < expires_at + JWT_LEEWAY.total_seconds()


def _is_about(claims: Mapping[str, Any], body: bytes) -> bool:
    data = _json_object(body).get("data")
    if not isinstance(data, dict):
        return False
    appointment = cast("dict[str, Any]", data)
    return all(
        name in claims
        and name in appointment
        and type(claims[name]) is type(appointment[name])
        and claims[name] == appointment[name]
        for name in _JWT_CLAIMS
    )


def _digest(secret: str, content: bytes) -> bytes:
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def _decode_part(part: str) -> bytes | None:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _json_object(content: bytes | None) -> dict[str, Any]:
    """The object, or an empty one: nothing can be missing from it without being noticed."""
    try:
        value: object = orjson.loads(content or b"")
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
