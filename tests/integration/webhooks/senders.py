"""Requests as RDV-Insertion and Tally make them. Signed here anew, and not by the code under test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

RDV_INSERTION = "/webhooks/rdv-insertion"
TALLY = "/webhooks/tally"
RDV_INSERTION_SECRETS = ("an-older-secret", "test-secret")
TALLY_SECRETS = ("tally-test-secret",)
ORGANISATION = 654


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def rdv(
    number: int = 1261,
    *,
    at: str = "2026-03-02 10:15:00 +0100",
    event: str = "updated",
    users: Sequence[int] = (3432,),
    organisation: int | None = ORGANISATION,
    status: str = "unknown",
    **changes: Any,
) -> bytes:
    people: list[dict[str, Any]] = [{"id": user, "first_name": "Zélie", "last_name": "Fictive"} for user in users]
    data: dict[str, Any] = {
        "id": number,
        "duration_in_min": 30,
        "starts_at": "2026-03-10T09:00:00.000+01:00",
        "address": "6 rue Fictive, 75010 Paris",
        "status": status,
        "users": people,
        "participations": [{"id": 1000 + user["id"], "status": status, "user": user} for user in people],
        "organisation": {"id": 91, "rdv_solidarites_organisation_id": organisation},
        "motif": {"name": "Entretien", "collectif": False, "motif_category": None},
        "lieu": None,
        **changes,
    }
    return as_json({"data": data, "meta": {"model": "Rdv", "event": event, "timestamp": at}})


def invitation(number: int = 4806, *, at: str = "2026-03-02 11:02:10 +0100", event: str = "updated") -> bytes:
    data = {"id": number, "format": "email", "clicked": True, "delivery_status": None, "user": {"id": 3432}}
    return as_json({"data": data, "meta": {"model": "Invitation", "event": event, "timestamp": at}})


def tally(
    *, event_id: str = "7d0c2f6e-0000-4000-8000-0000000000a1", response: str = "2xyz4n", ref: str | None = None
) -> bytes:
    hidden = [] if ref is None else [{"label": "ref", "type": "HIDDEN_FIELDS", "value": ref}]
    answer = {"label": "Satisfaction", "type": "TEXTAREA", "value": "Fort satisfaite"}
    return as_json(
        {
            "eventId": event_id,
            "eventType": "FORM_RESPONSE",
            "createdAt": "2026-03-02T09:15:00.889Z",
            "data": {
                "responseId": response,
                "submissionId": response,
                "respondentId": "dwFicT",
                "formId": "mY59xq",
                "createdAt": "2026-03-02T09:14:58.000Z",
                "fields": [*hidden, answer],
            },
        }
    )


def signed_rdv(body: bytes, *, secret: str = RDV_INSERTION_SECRETS[-1]) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-RDVI-SIGNATURE": signature}


def signed_tally(body: bytes, *, secret: str = TALLY_SECRETS[0]) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"Content-Type": "application/json", "Tally-Signature": signature}


def jwt(
    claims: dict[str, Any], *, expires_at: datetime, secret: str = RDV_INSERTION_SECRETS[-1], algorithm: str = "HS256"
) -> str:
    header = {"typ": "JWT", "exp": int(expires_at.timestamp()), "alg": algorithm}
    parts = [base64.urlsafe_b64encode(as_json(part)).rstrip(b"=").decode() for part in (header, claims)]
    text = ".".join(parts)
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
