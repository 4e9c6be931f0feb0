"""Links to exports: of this server, unchanged, for minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from services.dashboards import ExpiredLink, ExportLinks, ExportTicket, InvalidLink

KEY = b"tests-only-key-of-links-32-bytes"
NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
LINKS = ExportLinks(KEY, base_url="https://traverse.exemple.test/")
TICKET = ExportTicket(
    slug="stats_public", card_id=2361, file_format="csv", user_id=UUID(int=5), organization_id=UUID(int=6)
)
ANONYMOUS = ExportTicket(slug="stats_public", card_id=2361, file_format="png", user_id=None, organization_id=None)


@pytest.mark.parametrize("ticket", [TICKET, ANONYMOUS])
def test_a_link_is_read_as_it_was_made(ticket: ExportTicket):
    url = LINKS.url_for(ticket, now=NOW)

    base, _, token = url.rpartition("/")
    assert base == "https://traverse.exemple.test/exports"
    assert LINKS.read(token, now=NOW + timedelta(minutes=4, seconds=59)) == ticket


def test_a_link_ends_after_five_minutes():
    token = LINKS.token_for(TICKET, now=NOW)

    with pytest.raises(ExpiredLink):
        LINKS.read(token, now=NOW + timedelta(minutes=5))


def test_a_link_with_any_character_changed_is_none_of_ours():
    token = LINKS.token_for(TICKET, now=NOW)
    head, payload, signature = token.split(".")
    other = LINKS.token_for(ANONYMOUS, now=NOW).split(".")[1]

    for changed in (
        f"{head}.{other}.{signature}",
        f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        f"{head}.{payload}.",
        f"{payload}.{signature}",
        "",
        "é" * 40,
        "x" * 3_000,
    ):
        with pytest.raises(InvalidLink):
            LINKS.read(changed, now=NOW)


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode({"aud": "traverse-exports", "exp": 10**10}, b"another-key-that-is-long-enough-for-hs", "HS256"),
        jwt.encode({"aud": "traverse-exports", "exp": 10**10}, "", "none"),
        jwt.encode({"aud": "traverse", "exp": 10**10}, KEY, "HS256"),
        jwt.encode({"aud": "traverse-exports"}, KEY, "HS256"),
    ],
    ids=["another key", "unsigned", "another audience", "without an end"],
)
def test_a_token_that_was_not_made_for_exports_opens_nothing(token: str):
    with pytest.raises(InvalidLink):
        LINKS.read(token, now=NOW)
