"""RDV-Insertion at the door: HMAC over the body, or, where it was turned on, a JWT beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers

from clients.rdv_insertion.signatures import verify_webhook
from models.enums import Partner
from services.clock import Clock, utc_now
from services.webhooks.deliveries import Delivery, read_rdv_insertion
from webhooks.door import Signed

PATH = "/webhooks/rdv-insertion"

_SIGNATURE = "x-rdvi-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class RdvInsertionGatekeeper:
    """`secrets`: each organisation over there may sign with its own. `accept_jwt`: these vouch for three values."""

    secrets: Sequence[str] = field(repr=False)
    accept_jwt: bool = False
    clock: Clock = utc_now
    source: Partner = Partner.RDV_INSERTION

    def claims_to_be_signed(self, headers: Headers) -> bool:
        return _SIGNATURE in headers or (self.accept_jwt and "authorization" in headers)

    def verify(self, body: bytes, headers: Headers) -> Signed | None:
        verified = verify_webhook(
            body,
            signature=headers.get(_SIGNATURE),
            authorization=headers.get("authorization"),
            secrets=self.secrets,
            now=self.clock(),
            accept_jwt=self.accept_jwt,
        )
        if verified is None:
            return None
        scheme = "hmac" if _SIGNATURE in headers else "jwt"
        return Signed(verified.content, {"scheme": scheme, "encoding": verified.encoding.value})

    def read(self, body: bytes) -> Delivery:
        return read_rdv_insertion(body)
