"""Who sent a webhook of RDV-Insertion: both schemes, both encodings, and everything that is not a signature."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.rdv_insertion import Encoding, verify_webhook
from clients.rdv_insertion.signatures import verify_hmac, verify_jwt

SECRET = "test-secret"
ASCII_BODY = (
    b'{"data":{"id":4806},"meta":{"model":"Invitation","event":"updated","timestamp":"2026-03-02 10:15:00 +0100"}}'
)
ASCII_SIGNATURE = "7f85b890425f1ea2b514596f2cad6021e6d146fcf3c6b06405184ace258a8cc3"
ACCENTED = (
    '{"data":{"id":4806,"note":"Créneau à 10h"},"meta":{"model":"Invitation","event":"updated",'
    '"timestamp":"2026-03-02 10:15:00 +0100"}}'
)
ACCENTED_SIGNATURE = "d852b7ef3bd6fc49845470636fa0116ddb9ec7ea7a098550dd26cf5e20291831"
TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJleHAiOjE3NzI0NDM1MDAsImFsZyI6IkhTMjU2In0."
    "eyJpZCI6MTI2MSwiYWRkcmVzcyI6IjYgcnVlIEZpY3RpdmUsIDc1MDEwIFBhcmlzIiwic3RhcnRzX2F0IjoiMjAyNi0wMy0xMFQwOTowMDow"
    "MC4wMDArMDE6MDAifQ.OTLPYJ89mh1KNilN4acwV-fLHF7VSzkox1FcHn3IS9k"
)
APPOINTMENT: dict[str, Any] = {
    "id": 1261,
    "address": "6 rue Fictive, 75010 Paris",
    "starts_at": "2026-03-10T09:00:00.000+01:00",
}
EXPIRES_AT = datetime(2026, 3, 2, 9, 25, tzinfo=UTC)
BEFORE = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)


def body_of(**changes: Any) -> bytes:
    return orjson.dumps({"data": APPOINTMENT | changes, "meta": {"model": "Rdv"}})


def token_of(header: dict[str, Any], claims: dict[str, Any], *, secret: str = SECRET) -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    signed = f"{part(orjson.dumps(header))}.{part(orjson.dumps(claims))}"
    return f"{signed}.{part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


HEADER = {"typ": "JWT", "exp": int(EXPIRES_AT.timestamp()), "alg": "HS256"}


def test_an_ascii_body_passes_as_it_is():
    verified = verify_hmac(ASCII_BODY, ASCII_SIGNATURE, [SECRET])

    assert verified is not None
    assert (verified.content, verified.encoding) == (ASCII_BODY, Encoding.UTF_8)


@pytest.mark.parametrize("encoding", [Encoding.UTF_8, Encoding.LATIN_1])
def test_an_accented_body_passes_in_both_encodings_and_is_read_in_utf_8(encoding: Encoding):
    verified = verify_hmac(ACCENTED.encode(encoding), ACCENTED_SIGNATURE, [SECRET])

    assert verified is not None
    assert (verified.content, verified.encoding) == (ACCENTED.encode(), encoding)
    assert orjson.loads(verified.content)["data"]["note"] == "Créneau à 10h"


@given(st.text(st.characters(max_codepoint=255, exclude_categories=["Cs"])))
def test_whatever_fits_latin_1_is_verified_and_given_back_in_utf_8(text: str):
    signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()

    verified = verify_hmac(text.encode("latin-1"), signature, [SECRET])

    assert verified is not None
    assert verified.content == text.encode()


def test_any_of_several_secrets_will_do():
    assert verify_hmac(ASCII_BODY, ASCII_SIGNATURE, ["next-secret", SECRET]) is not None


@pytest.mark.parametrize(
    ("signature", "secrets"),
    [
        ("", [SECRET]),
        (ASCII_SIGNATURE[:-1] + "4", [SECRET]),
        (ASCII_SIGNATURE.upper(), [SECRET]),
        (ASCII_SIGNATURE[:-1], [SECRET]),
        (f"{ASCII_SIGNATURE} ", [SECRET]),
        (f"sha256={ASCII_SIGNATURE}", [SECRET]),
        ("é" * 64, [SECRET]),
        ("٣" * 64, [SECRET]),
        (ASCII_SIGNATURE, ["another-secret"]),
        (ASCII_SIGNATURE, []),
    ],
)
def test_a_signature_that_is_missing_wrong_or_oddly_written_is_refused(signature: str, secrets: list[str]):
    assert verify_hmac(ASCII_BODY, signature, secrets) is None


def test_an_empty_secret_signs_nothing():
    signature = hmac.new(b"", ASCII_BODY, hashlib.sha256).hexdigest()

    assert verify_hmac(ASCII_BODY, signature, [""]) is None


def test_a_body_written_anew_is_refused():
    written_anew = orjson.dumps(orjson.loads(ACCENTED), option=orjson.OPT_INDENT_2)

    assert verify_hmac(written_anew, ACCENTED_SIGNATURE, [SECRET]) is None


def test_the_token_of_the_other_scheme_passes_before_its_end_and_a_minute_after():
    body = body_of()

    assert verify_jwt(TOKEN, body, [SECRET], now=BEFORE)
    assert verify_jwt(TOKEN, body, ["other", SECRET], now=EXPIRES_AT.replace(second=59))
    assert not verify_jwt(TOKEN, body, [SECRET], now=EXPIRES_AT.replace(minute=26))


@pytest.mark.parametrize(
    "token",
    [
        token_of({"alg": "none", **{key: HEADER[key] for key in ("typ", "exp")}}, APPOINTMENT),
        token_of(HEADER | {"alg": "HS512"}, APPOINTMENT),
        token_of({"typ": "JWT", "alg": "HS256"}, APPOINTMENT),
        token_of({"typ": "JWT", "alg": "HS256"}, APPOINTMENT | {"exp": HEADER["exp"]}),
        token_of(HEADER | {"exp": "9999999999"}, APPOINTMENT),
        token_of(HEADER | {"exp": True}, APPOINTMENT),
        token_of(HEADER, APPOINTMENT | {"id": 1262}),
        token_of(HEADER, APPOINTMENT | {"id": True}),
        token_of(HEADER, {"id": 1261, "address": APPOINTMENT["address"]}),
        token_of(HEADER, {}),
        token_of(HEADER, APPOINTMENT, secret="another"),
        TOKEN.rpartition(".")[0] + ".",
        TOKEN + ".",
        TOKEN[:-1] + "é",
        "",
        "a.b.c",
        "." * 5,
        "x" * 10_000,
    ],
)
def test_a_token_of_another_algorithm_life_key_or_appointment_is_refused(token: str):
    assert not verify_jwt(token, body_of(), [SECRET], now=BEFORE)


def test_the_same_claims_under_the_right_key_pass():
    assert verify_jwt(token_of(HEADER, APPOINTMENT), body_of(), [SECRET], now=BEFORE)


@pytest.mark.parametrize(
    "body",
    [
        body_of(id=1),
        body_of(address=None),
        body_of(starts_at="2026-03-10T09:00:00+01:00"),
        b'{"data": [], "meta": {}}',
        b"[]",
        b"garbage",
        b"",
    ],
)
def test_a_token_about_another_body_is_refused(body: bytes):
    assert not verify_jwt(TOKEN, body, [SECRET], now=BEFORE)


def test_a_claim_of_another_type_is_another_claim():
    token = token_of(HEADER, APPOINTMENT | {"id": True})

    assert not verify_jwt(token, body_of(id=1), [SECRET], now=BEFORE)


def test_an_invitation_cannot_pass_by_a_token_that_claims_nothing_of_it():
    claims = {"id": 4806, "address": None, "starts_at": None}

    assert not verify_jwt(token_of(HEADER, claims), b'{"data":{"id":4806}}', [SECRET], now=BEFORE)


def test_tokens_are_refused_unless_they_are_switched_on():
    body, authorization = body_of(), f"Bearer {TOKEN}"

    def verify(**switches: bool) -> object:
        return verify_webhook(
            body, signature=None, authorization=authorization, secrets=[SECRET], now=BEFORE, **switches
        )

    assert verify() is None
    assert verify(accept_jwt=True) is not None


def test_a_request_with_both_must_pass_by_its_signature():
    body = body_of()
    right = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    def verify(signature: str) -> object:
        return verify_webhook(
            body,
            signature=signature,
            authorization=f"Bearer {TOKEN}",
            secrets=[SECRET],
            now=BEFORE,
            accept_jwt=True,
        )

    assert verify("0" * 64) is None
    assert verify("") is None
    assert verify(right) is not None


@pytest.mark.parametrize("authorization", [None, "", "Bearer", f"Basic {TOKEN}", TOKEN])
def test_without_either_the_request_is_refused(authorization: str | None):
    assert (
        verify_webhook(
            body_of(), signature=None, authorization=authorization, secrets=[SECRET], now=BEFORE, accept_jwt=True
        )
        is None
    )


def test_a_verified_body_does_not_show_itself():
    verified = verify_hmac(ACCENTED.encode(), ACCENTED_SIGNATURE, [SECRET])

    assert "Créneau" not in repr(verified)
