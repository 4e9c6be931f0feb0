"""The encrypted national identifiers that the simulated France Travail hands out.

One NIR, one identifier, in every process and after every restart: so it is derived, and it holds its own check, by
which an identifier that was never handed out is told from a real one.
"""

import base64
import binascii
import hashlib
import hmac

_KEY = b"the sandbox protects nothing: this key only makes identifiers stable"
_STEM_BYTES = 24
_CHECK_BYTES = 8


def id_national_of(nir13: str) -> str:
    """43 base64url characters."""
    stem = _digest(b"person:" + nir13.encode())[:_STEM_BYTES]
    return base64.urlsafe_b64encode(stem + _check(stem)).rstrip(b"=").decode()


def is_id_national(value: str) -> bool:
    try:
        raw = base64.b64decode(value.encode() + b"=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == _STEM_BYTES + _CHECK_BYTES and hmac.compare_digest(raw[_STEM_BYTES:], _check(raw[:_STEM_BYTES]))


def _check(stem: bytes) -> bytes:
    return _digest(b"check:" + stem)[:_CHECK_BYTES]


def _digest(message: bytes) -> bytes:
    return hmac.new(_KEY, message, hashlib.sha256).digest()
