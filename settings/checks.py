"""What single values must be beyond their type. Each check returns the value, or raises ValueError without it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import ip_network
from urllib.parse import urlsplit

from clients.mail import MailConfig, normalise_address
from clients.tally import TallyForms, is_form_id
from models.identifiers import InvalidIdentifier, parse_siret
from settings.variables import Secret

_EMBEDDING_SECRET = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_KEY_BYTES = 32


def http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an http:// or https:// URL is expected")
    return value


def postgresql_url(value: str) -> str:
    if urlsplit(value).scheme not in ("postgres", "postgresql"):
        raise ValueError("a postgresql:// URL is expected")
    return value


def redis_url(value: str) -> str:
    if urlsplit(value).scheme not in ("redis", "rediss", "redis+sentinel"):
        raise ValueError("a redis://, rediss:// or redis+sentinel:// URL is expected")
    return value


def network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError(f'"{value}": an IP address, or a network as in 10.0.0.0/8, is expected') from None
    return value


def relay(value: Secret) -> Secret:
    MailConfig.from_url(value.reveal(), sender="")
    return value


def sender(value: str) -> str:
    if normalise_address(parseaddr(value)[1]) is None:
        raise ValueError("an e-mail address, or `Name <address>`, is expected")
    return value


def forms_url(value: str) -> str:
    TallyForms(value, allow_http=True)
    return value


def form_id(value: str) -> str:
    if not is_form_id(value):
        raise ValueError("the id of a form is expected: 4 to 12 letters and digits, as in its link after /r/")
    return value


def siret(value: str) -> str:
    try:
        return parse_siret(value)
    except InvalidIdentifier:
        raise ValueError("a SIRET of 14 digits with a right key is expected") from None


def embedding_secret(value: Secret) -> Secret:
    if _EMBEDDING_SECRET.fullmatch(value.reveal()) is None:
        raise ValueError("64 hexadecimal characters expected, as Metabase shows them")
    return value


def at_least(characters: int) -> Callable[[Secret], Secret]:
    def check(value: Secret) -> Secret:
        if len(value.reveal()) < characters:
            raise ValueError(f"at least {characters} characters expected")
        return value

    return check


def key(value: Secret) -> Secret:
    decode_key(value)
    return value


def decode_key(value: Secret) -> bytes:
    """Return the 32 bytes of a key in base64. Raises ValueError."""
    try:
        found = base64.b64decode(value.reveal(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64; 32 bytes in base64 expected") from None
    if len(found) != _KEY_BYTES:
        raise ValueError(f"{len(found)} bytes, {_KEY_BYTES} expected")
    return found
