"""Who sits in front of the dashboard: a signed cookie that says whom the token spoke for, and what forms must repeat.

The cookie holds no right. Whether its subject may operate is read from the database at each request and at each look of
a live page, so that a right that is taken away ends at once.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt
from jwt.exceptions import InvalidTokenError

from services.tokens import Claims

LIFETIME = timedelta(hours=1)
COOKIE = "traverse_ops"
COOKIE_PATH = "/ops"

_AUDIENCE = "traverse-ops"
_ALGORITHM = "HS256"
_LONGEST_COOKIE = 2_048


@dataclass(frozen=True, slots=True)
class Session:
    """`form_key` comes back with each form: a page of another site cannot know it."""

    subject: str
    form_key: str = field(repr=False)
    expires_at: datetime

    def accepts(self, form_key: str) -> bool:
        return hmac.compare_digest(self.form_key.encode(), form_key.encode())

    @property
    def claims(self) -> Claims:
        return Claims(self.subject, None, self.expires_at)


class SessionSigner:
    """Writes sessions into cookies, and reads them back. `key`: for nothing else."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(self, claims: Claims, *, now: datetime) -> Session:
        """Return a session of the one whom a verified token speaks for; it never outlives the token."""
        expires_at = min(claims.expires_at, now + LIFETIME).replace(microsecond=0)
        return Session(claims.subject, secrets.token_urlsafe(32), expires_at)

    def write(self, session: Session) -> str:
        claims = {"aud": _AUDIENCE, "sub": session.subject, "key": session.form_key, "exp": session.expires_at}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, cookie: str) -> Session | None:
        """None: no cookie of ours, or one whose time is over."""
        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            payload = jwt.decode(
                cookie,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["aud", "sub", "key", "exp"]},
            )
        except InvalidTokenError:
            return None
        expires_at = datetime.fromtimestamp(int(payload["exp"]), UTC)
        return Session(str(payload["sub"]), str(payload["key"]), expires_at)
