"""E-mail: where it goes, and what it is. clients/mail_client.py speaks with the relay."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from clients.breaker import BreakerPolicy
from clients.errors import PartnerUnavailable

PARTNER = "smtp"

_MAX_ADDRESS = 254
# What RFC 5321 lets an unquoted local part be, and a host name; addresses with quotes are nobody's in practice.
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", re.ASCII)
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9-]{2,63}", re.ASCII)


class Security(StrEnum):
    """How the connection is protected. Upgrading "if offered" is none of them: an attacker would not offer it."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


_SCHEMES = {
    "smtps": (Security.TLS, 465),
    "smtp+starttls": (Security.STARTTLS, 587),
    "smtp": (Security.NONE, 25),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailConfig:
    """`sender` is an address, or `Name <address>`. All times in seconds."""

    host: str
    port: int
    sender: str
    security: Security = Security.NONE
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    connect_timeout_seconds: float = 5.0
    timeout_seconds: float = 30.0
    max_concurrency: int = 4
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    @classmethod
    def from_url(cls, url: str, *, sender: str) -> "MailConfig":
        """`smtps://user:password@host:465`, `smtp+starttls://…:587`, or `smtp://…:25` for a relay on this machine.

        Raise ValueError, without the credentials, for anything else.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("mail address: not a URL; give smtps://user:password@host:465") from None
        if parts.scheme not in _SCHEMES or not parts.hostname or parts.path.strip("/") or parts.query:
            expected = ", ".join(f"{scheme}://host:{default}" for scheme, (_, default) in _SCHEMES.items())
            raise ValueError(f'mail address with scheme "{parts.scheme}": one of {expected} expected')
        security, default_port = _SCHEMES[parts.scheme]
        return cls(
            host=parts.hostname,
            port=port or default_port,
            sender=sender,
            security=security,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message. `key` makes its Message-ID: the same key is the same message, however often it is sent."""

    key: str
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


class MailConfigurationError(PartnerUnavailable):
    """The relay refuses us and not the message: every mail fails alike until the settings are corrected."""


def normalise_address(address: str) -> str | None:
    """The address as SMTP can carry it, its domain in ASCII; None for what is none. Never raises, never logs."""
    local_part, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii") if domain else ""
    except UnicodeError:
        return None
    is_usable = (
        at
        and _LOCAL_PART.fullmatch(local_part)
        and not local_part.startswith(".")
        and not local_part.endswith(".")
        and ".." not in local_part
        and _DOMAIN.fullmatch(ascii_domain)
    )
    found = f"{local_part}@{ascii_domain}"
    return found if is_usable and len(found) <= _MAX_ADDRESS else None
