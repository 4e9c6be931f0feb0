"""Tokens that were checked a moment ago: what is remembered of them, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from services.believed_tokens import BELIEVED_FOR, BelievedTokens
from services.tokens import Claims, InvalidToken, TokenVerifier, issue_development_token

NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
KEY = "tests-only-key-of-thirty-two-bytes"
SECOND = timedelta(seconds=1)


def claims(*, ends_in: timedelta = timedelta(hours=1)) -> Claims:
    return Claims(subject="someone", organization_id=None, expires_at=NOW + ends_in)


def token(*, lifetime: timedelta = timedelta(hours=1)) -> str:
    return issue_development_token(
        subject="someone",
        organization_id=None,
        issuer="tests",
        audience="traverse",
        key=KEY,
        lifetime=lifetime,
        now=NOW,
    )


def verifier(**other: Any) -> TokenVerifier:
    return TokenVerifier(issuer="tests", audience="traverse", hs256_key=KEY, **other)


def test_a_token_is_remembered_for_a_short_time():
    believed: BelievedTokens[Claims] = BelievedTokens()
    held = claims()

    believed.add("token", held, NOW)

    assert believed.get("token", NOW) is held
    assert believed.get("token", NOW + BELIEVED_FOR - SECOND) is held
    assert believed.get("token", NOW + BELIEVED_FOR) is None
    assert believed.get("token", NOW - SECOND) is None
    assert believed.get("Token", NOW) is None


def test_no_token_is_remembered_beyond_its_end():
    believed: BelievedTokens[Claims] = BelievedTokens()

    believed.add("token", claims(ends_in=10 * SECOND), NOW)

    assert believed.get("token", NOW + 9 * SECOND) is not None
    assert believed.get("token", NOW + 10 * SECOND) is None


def test_what_was_believed_first_is_forgotten_first():
    believed: BelievedTokens[Claims] = BelievedTokens(size=2)

    for name in ("one", "two", "one", "three"):
        believed.add(name, claims(), NOW)

    assert [believed.get(name, NOW) is not None for name in ("one", "two", "three")] == [True, False, True]
    assert len(believed) == 2


def test_no_token_is_kept():
    believed: BelievedTokens[Claims] = BelievedTokens()

    believed.add("a-secret-token", claims(), NOW)

    assert "a-secret-token" not in repr(vars(believed))


async def test_a_verifier_gives_the_same_claims_without_checking_again():
    known = verifier()
    with time_machine.travel(NOW, tick=False):
        first = await known.verify(token())

        again = await known.verify(token())

    assert again is first


async def test_a_token_ends_although_it_was_just_believed():
    known, short = verifier(leeway=timedelta()), token(lifetime=10 * SECOND)
    with time_machine.travel(NOW, tick=False):
        await known.verify(short)

    with time_machine.travel(NOW + 11 * SECOND, tick=False), pytest.raises(InvalidToken, match="expired"):
        await known.verify(short)


async def test_what_was_refused_is_refused_again():
    known = verifier()
    forged = token()[:-4] + "AAAA"

    for _ in range(2):
        with time_machine.travel(NOW, tick=False), pytest.raises(InvalidToken):
            await known.verify(forged)
