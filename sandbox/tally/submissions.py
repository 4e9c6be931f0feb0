"""One submission of a form, as Tally tells it: hidden fields first, then answers that must not be kept by anybody."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import uuid4

import orjson
from msgspec import Meta

from sandbox.shapes import AwareDatetime, Shape
from sandbox.webhooks import OutgoingWebhook, SendOptions

# What a respondent might type. Whoever finds one of these in our database has found a bug.
ANSWERS: tuple[dict[str, Any], ...] = (
    {
        "key": "question_bbbBBB",
        "label": "Satisfaction",
        "type": "MULTIPLE_CHOICE",
        "value": ["ec321dc4-0000-4000-8000-000000000001"],
        "options": [
            {"id": "ec321dc4-0000-4000-8000-000000000001", "text": "Oui"},
            {"id": "ec321dc4-0000-4000-8000-000000000002", "text": "Non"},
        ],
    },
    {
        "key": "question_cccCCC",
        "label": "Votre adresse",
        "type": "INPUT_EMAIL",
        "value": "repondante.fictive@exemple.test",
    },
    {"key": "question_dddDDD", "label": None, "type": "TEXTAREA", "value": "Réponse libre qui doit rester chez Tally"},
    {"key": "question_eeeEEE", "label": "Grille", "type": "MATRIX", "value": {"a": ["b"]}, "rows": [], "columns": []},
)


class Signing(StrEnum):
    HMAC = "hmac"
    NONE = "none"
    WRONG = "wrong"
    HEX = "hex"


class TallySendOptions(SendOptions):
    sign: Signing = Signing.HMAC


class SubmissionOrder(Shape):
    """Whatever is not given is invented."""

    form_id: Annotated[str, Meta(min_length=1)]
    hidden: Mapping[str, str | None] = {}
    event_type: str = "FORM_RESPONSE"
    event_id: str | None = None
    response_id: str | None = None
    created_at: AwareDatetime | None = None
    submitted_at: AwareDatetime | None = None


def outgoing(order: SubmissionOrder, *, signing: Signing, secret: str, now: datetime) -> OutgoingWebhook:
    event_id, response_id = order.event_id or str(uuid4()), order.response_id or secrets.token_hex(3)
    submitted_at = order.submitted_at or now
    body = orjson.dumps(
        {
            "eventId": event_id,
            "eventType": order.event_type,
            "createdAt": _moment(order.created_at or now),
            "data": {
                "responseId": response_id,
                "submissionId": response_id,
                "respondentId": secrets.token_hex(3),
                "formId": order.form_id,
                "formName": "Enquête fictive",
                "createdAt": _moment(submitted_at),
                "fields": [*_hidden_fields(order.hidden), *ANSWERS],
            },
        }
    )
    return OutgoingWebhook(
        about={"form_id": order.form_id, "event_id": event_id, "response_id": response_id},
        headers={
            "Content-Type": "application/json",
            "User-Agent": "Tally Webhooks",
            **_signature(body, signing, secret),
        },
        body=body,
    )


def _hidden_fields(hidden: Mapping[str, str | None]) -> list[dict[str, Any]]:
    return [
        {
            "key": f"question_aaaAAA_8b5711e3-0000-4000-8000-{number:012d}",
            "label": label,
            "type": "HIDDEN_FIELDS",
            "value": value,
        }
        for number, (label, value) in enumerate(hidden.items(), start=1)
    ]


def _signature(body: bytes, signing: Signing, secret: str) -> dict[str, str]:
    if signing is Signing.NONE:
        return {}
    key = f"not {secret}" if signing is Signing.WRONG else secret
    digest = hmac.new(key.encode(), body, hashlib.sha256)
    spelled = digest.hexdigest() if signing is Signing.HEX else base64.b64encode(digest.digest()).decode()
    return {"Tally-Signature": spelled}


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
