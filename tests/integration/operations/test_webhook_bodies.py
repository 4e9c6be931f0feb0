from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson
import pytest

from models import AccessLog, AuditEntry, InvitationRequest
from models.enums import AuditAction
from services.operations.webhook_bodies import (
    ACCESS_FIELD,
    MaskedBody,
    RevealedBody,
    mask,
    read_masked_body,
    reveal_body,
)
from services.outcomes import ConflictFound, Invalid, NotFound
from tests.factories import make_company, make_job_seeker
from tests.integration.operations.rows import LATER, NOW, REASON, make_event, make_operator

pytestmark = pytest.mark.usefixtures("database")

BODY = {
    "data": {
        "id": 4711,
        "users": [{"first_name": "Zélie", "nir": "185057800608436", "email": None, "is_absent": False}],
        "zelie@exemple.test": "06 12 34 56 78",
    },
    "meta": {"event": "updated"},
}


async def test_a_masked_body_shows_keys_and_shapes_and_no_value():
    event = await make_event(body=orjson.dumps(BODY).decode())

    masked = await read_masked_body(event.id)

    assert isinstance(masked, MaskedBody)
    assert orjson.loads(masked.text) == {
        "data": {
            "id": "nombre",
            "users": [{"first_name": "texte (5)", "nir": "texte (15)", "email": None, "is_absent": "vrai ou faux"}],
            "clé 3": "texte (14)",
        },
        "meta": {"event": "texte (7)"},
    }


@pytest.mark.parametrize("body", ["not json, but Zélie", '"Zélie"', "[]"])
async def test_what_is_no_object_is_masked_as_well(body: str):
    event = await make_event(body=body)

    masked = await read_masked_body(event.id)

    assert isinstance(masked, MaskedBody)
    assert "Zélie" not in masked.text


def test_long_lists_and_deep_trees_are_cut():
    deep: Any = "value"
    for _ in range(50):
        deep = {"a": deep}

    assert mask(list(range(25)))[-1] == "… 5 de plus"
    assert "value" not in str(mask(deep))


async def test_a_body_is_revealed_with_a_reason_and_two_traces():
    operator, person, company = await make_operator(), await make_job_seeker(), await make_company()
    await InvitationRequest.create(
        job_seeker=person, company=company, rdv_insertion_user_id=55, reason_category="siae", created_at=NOW
    )
    event = await make_event(body=orjson.dumps(BODY).decode(), partner_user_ids=[55])

    revealed = await reveal_body(event.id, by=operator.id, reason=REASON, request_id="r-1", now=LATER)

    entry = await AuditEntry.get(action=AuditAction.WEBHOOK_REVEALED)
    trace = await AccessLog.get(job_seeker_id=person.id)
    assert isinstance(revealed, RevealedBody)
    assert orjson.loads(revealed.text) == BODY
    assert "Zélie" not in repr(revealed)
    assert (entry.actor_id, entry.subject_id, entry.reason) == (operator.id, str(event.id), REASON)
    assert (trace.viewer_id, trace.field, trace.request_id) == (operator.id, ACCESS_FIELD, "r-1")


async def test_nothing_is_revealed_without_a_reason_or_a_body():
    event, purged = await make_event(), await make_event(body=None)

    silent = await reveal_body(event.id, by=uuid4(), reason="", request_id="r", now=LATER)
    gone = await reveal_body(purged.id, by=uuid4(), reason=REASON, request_id="r", now=LATER)
    missing = await reveal_body(uuid4(), by=uuid4(), reason=REASON, request_id="r", now=LATER)

    assert isinstance(silent, Invalid)
    assert isinstance(gone, ConflictFound)
    assert missing == NotFound()
    assert await read_masked_body(uuid4()) == NotFound()
    assert await AuditEntry.all().count() == 0
