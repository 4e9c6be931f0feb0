"""Tally at the door: base64 of an HMAC over the body. Of what it sends, answers are not kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers

from clients.tally import verify_tally_signature
from models.enums import Partner
from services.webhooks.deliveries import Delivery, read_tally
from webhooks.door import Signed

PATH = "/webhooks/tally"

_SIGNATURE = "tally-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyGatekeeper:
    """`secrets`: each form may have its own."""

    secrets: Sequence[str] = field(repr=False)
    source: Partner = Partner.TALLY

    def claims_to_be_signed(self, headers: Headers) -> bool:
        return _SIGNATURE in headers

    def verify(self, body: bytes, headers: Headers) -> Signed | None:
        return Signed(body, {}) if verify_tally_signature(body, headers.get(_SIGNATURE), self.secrets) else None

    def read(self, body: bytes) -> Delivery:
        return read_tally(body)
