"""Trusted documents over WebSockets and event streams: asked for and required as over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from execution.trusted.documents import TrustedDocument, TrustedDocuments
from schema.documents import ANONYMOUS, DocumentRules
from schema.streams.transports import TransportConfig
from tests.integration.streams.harness import Server, hear, running, say

FOLLOW = TrustedDocument(name="Drops", kind="subscription", text="subscription Drops { drops { name } }")
HELLO = TrustedDocument(name="Hello", kind="query", text="query Hello { hello }")


@pytest.fixture(scope="module")
async def strict() -> AsyncIterator[Server]:
    config = TransportConfig(documents=DocumentRules(frozenset({ANONYMOUS})))
    async with running(config, trusted=TrustedDocuments([FOLLOW, HELLO])) as server:
        yield server


async def streamed(server: Server, body: dict[str, Any]) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=15) as http:
        response = await http.post(server.url, json=body, headers={"Accept": "text/event-stream"})
        return response.text


async def test_a_socket_follows_by_hash(strict: Server):
    async with strict.ready() as client:
        await say(client, id="1", type="subscribe", payload={"documentId": f"sha256:{FOLLOW.hash}"})
        await strict.tap.is_heard_by(1)
        strict.tap.emit("one")
        strict.tap.emit("end")

        heard = [await hear(client), await hear(client)]

    assert [message["type"] for message in heard] == ["next", "complete"]
    assert heard[0]["payload"]["data"] == {"drops": {"name": "one"}}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "subscription { drops { name } }"}, "PERSISTED_DOCUMENT_REQUIRED"),
        ({"query": "{ hello }"}, "PERSISTED_DOCUMENT_REQUIRED"),
        ({"documentId": "sha256:0"}, "PERSISTED_DOCUMENT_NOT_FOUND"),
        ({"extensions": {"persistedQuery": {"sha256Hash": "0"}}}, "PERSISTED_DOCUMENT_NOT_FOUND"),
    ],
)
async def test_what_is_not_trusted_is_refused_and_the_socket_stays(strict: Server, payload: Any, code: str):
    async with strict.ready() as client:
        await say(client, id="1", type="subscribe", payload=payload)
        refusal = await hear(client)
        await say(client, id="1", type="subscribe", payload={"documentId": f"sha256:{HELLO.hash}"})
        answer = await hear(client)

    assert (refusal["type"], refusal["id"]) == ("error", "1")
    assert [error["extensions"]["code"] for error in refusal["payload"]] == [code]
    assert answer["payload"] == {"data": {"hello": "world"}}


async def test_an_event_stream_asks_by_hash_and_is_held_to_it(strict: Server):
    by_hash = await streamed(strict, {"documentId": f"sha256:{HELLO.hash}"})
    by_text = await streamed(strict, {"query": "{ hello }"})

    assert '{"data":{"hello":"world"}}' in by_hash
    assert "PERSISTED_DOCUMENT_REQUIRED" in by_text
    assert "world" not in by_text
