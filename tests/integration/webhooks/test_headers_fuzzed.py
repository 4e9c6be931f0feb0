"""Whatever stands in the headers of a webhook, signed or not: it is stored once, or refused, and never a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from models import WebhookEvent
from models.database import DatabaseConfig
from tests.integration.webhooks.conftest import Doors, open_doors
from tests.integration.webhooks.senders import RDV_INSERTION, TALLY, rdv, signed_rdv, signed_tally, tally

EXAMPLES = settings.default.max_examples if settings.default is not None else 100
NAMES = (
    *("x-rdvi-signature", "tally-signature", "authorization", "content-type", "content-length", "content-encoding"),
    *("transfer-encoding", "x-request-id", "x-forwarded-for"),
)
VALUES = st.text(max_size=60) | st.sampled_from(
    [
        "Bearer ",
        "Bearer a.b.c",
        "0" * 64,
        "é" * 64,
        "-1",
        "9" * 30,
        "\u0663",
        "gzip",
        "text/plain",
        "application/json;;",
    ]
)


@pytest.fixture(scope="module")
async def every_door(_open_database: DatabaseConfig) -> AsyncIterator[Doors]:
    async with open_doors(_open_database, accept_jwt=True) as doors:
        yield doors
    await WebhookEvent.all().delete()


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(headers=st.dictionaries(st.sampled_from(NAMES), VALUES), is_signed=st.booleans(), is_tally=st.booleans())
async def test_no_header_of_a_webhook_is_answered_by_a_fault(
    every_door: Doors, headers: dict[str, str], is_signed: bool, is_tally: bool
):
    path, body = (TALLY, tally()) if is_tally else (RDV_INSERTION, rdv())
    signed = (signed_tally(body) if is_tally else signed_rdv(body)) if is_signed else {}
    sent = {name.lower(): value for name, value in {**signed, **headers}.items()}

    with capture_logs() as logs:
        response = await every_door.http.post(
            path, content=body, headers=[(name.encode(), value.encode()) for name, value in sent.items()]
        )

    assert response.status_code in (200, 400, 401, 403, 413, 415), response.text
    assert [line for line in logs if line["log_level"] in ("error", "critical")] == []
    assert await WebhookEvent.all().count() <= 2
