"""Encryption at rest of what must never be read from a stolen disk or a careless SELECT: NIRs, raw webhook bodies.

Values are AES-256-GCM sealed; equality and uniqueness rest on a separately keyed HMAC (a fingerprint), so that no
column allows to test a guessed NIR without the key (there are few enough NIRs to try them all against a plain hash).
Stored form: version (1 byte) | key id (4 bytes) | nonce (12 bytes) | ciphertext and tag.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tortoise.fields.base import Field
from tortoise.models import Model

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12


class EncryptionError(Exception):
    """A stored value cannot be opened: its key is not in the ring, or it was tampered with. Never holds the value."""


@dataclass(frozen=True)
class KeyRing:
    """The keys in use: the first seals, all open. `fingerprint_key` must never change: rows are found by it."""

    keys: tuple[bytes, ...] = field(repr=False)
    fingerprint_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != 32 for key in self.keys):
            raise ValueError("encryption keys: at least one key of exactly 32 bytes expected")
        if len(self.fingerprint_key) != 32:
            raise ValueError("fingerprint key: exactly 32 bytes expected")

    def seal(self, value: str) -> bytes:
        key = self.keys[0]
        identifier = key_id(key)
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + identifier + nonce + AESGCM(key).encrypt(nonce, value.encode(), identifier)

    def open(self, sealed: bytes) -> str:
        """Return the value that was sealed. Raises EncryptionError."""
        identifier = sealed[1 : 1 + _KEY_ID_BYTES]
        key = next((key for key in self.keys if key_id(key) == identifier), None)
        if sealed[:1] != _VERSION or key is None:
            raise EncryptionError("sealed value: its key is not in the ring; put the retired key back as second key")
        nonce_end = 1 + _KEY_ID_BYTES + _NONCE_BYTES
        try:
            return AESGCM(key).decrypt(sealed[1 + _KEY_ID_BYTES : nonce_end], sealed[nonce_end:], identifier).decode()
        except (InvalidTag, ValueError):  # ValueError: cut short, within the nonce
            raise EncryptionError("sealed value: it was altered since it was written") from None

    def fingerprint(self, value: str) -> str:
        """Return 64 hexadecimal characters that are equal for equal values, and tell nothing without the key."""
        return hmac.new(self.fingerprint_key, value.encode(), hashlib.sha256).hexdigest()


def key_id(key: bytes) -> bytes:
    """Return the 4 bytes by which a sealed value names its key."""
    return hashlib.sha256(b"key-id" + key).digest()[:_KEY_ID_BYTES]


_ring: list[KeyRing] = []


def use_key_ring(ring: KeyRing) -> None:
    """Install the process's keys. Called once at start, next to the opening of the database."""
    _ring[:] = [ring]


def key_ring() -> KeyRing:
    if not _ring:
        raise EncryptionError("no key ring: the process opened the database without encryption keys")
    return _ring[0]


class EncryptedTextField(Field[str], str):  # pyright: ignore[reportGeneralTypeIssues]: Tortoise's own idiom for fields
    """Text that is sealed in the database and plain in Python."""

    SQL_TYPE = "BYTEA"
    field_type = str
    indexable = False

    def to_db_value(self, value: str | None, instance: type[Model] | Model) -> Any:  # noqa: ARG002 (Tortoise's signature)
        return None if value is None else key_ring().seal(value)

    def to_python_value(self, value: Any) -> str | None:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return key_ring().open(bytes(value))  # pyright: ignore[reportUnknownArgumentType]: of bytes
        return value
