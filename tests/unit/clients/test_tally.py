"""Links to Tally's forms, and the webhooks that come back."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.tally import (
    TallyForms,
    UnreadableSubmission,
    read_tally_event,
    verify_tally_signature,
)

FORMS = TallyForms("https://tally.so")
SECRET = "tally-test-secret"
BODY = (
    '{"eventId":"11111111-1111-4111-8111-111111111111","eventType":"FORM_RESPONSE",'
    '"createdAt":"2026-03-02T09:15:00.000Z","data":{"responseId":"aB1cD2","submissionId":"aB1cD2",'
    '"respondentId":"rS3tU4","formId":"mY59xq","formName":"Enquête","createdAt":"2026-03-02T09:14:58.000Z",'
    '"fields":[]}}'
).encode()
SIGNATURE = "ZZXkPUg2bNtYamaXX17PqnguwVZJZx7+H1YouI6ZD2c="
REF = "5Jc0kq0mYV7m3o1TqgS2dw"
SUBMISSION: dict[str, Any] = {
    "responseId": "2xyz4n",
    "submissionId": "2xyz4n",
    "respondentId": "dwFicT",
    "formId": "mY59xq",
    "formName": "Enquête post-embauche",
    "createdAt": "2026-03-02T09:14:58.000Z",
    "fields": [
        {"key": "question_aaaAAA_1", "label": "id_siae", "type": "HIDDEN_FIELDS", "value": "4321"},
        {"key": "question_aaaAAA_2", "label": "region", "type": "HIDDEN_FIELDS", "value": None},
        {"key": "question_aaaAAA_5", "label": "ref", "type": "HIDDEN_FIELDS", "value": REF},
        {"key": "question_bbbBBB", "label": "Satisfaction", "type": "MULTIPLE_CHOICE", "value": ["ec321dc4"]},
        {"key": "question_cccCCC", "label": "Adresse", "type": "INPUT_EMAIL", "value": "qui@exemple.test"},
        {"key": "question_dddDDD", "label": None, "type": "MATRIX_TO_COME", "value": {"a": ["b"]}},
    ],
}
NOW = datetime(2026, 3, 2, 9, 15, 30, tzinfo=UTC)


def event(submission: object = None, **changes: Any) -> bytes:
    data = SUBMISSION if submission is None else submission
    envelope = {
        "eventId": "7d0c2f6e-0000-4000-8000-0000000000a1",
        "eventType": "FORM_RESPONSE",
        "createdAt": "2026-03-02T09:15:00.889Z",
        "data": data,
    }
    return orjson.dumps(envelope | changes)


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in SUBMISSION.items() if key not in keys}


@pytest.mark.parametrize(
    ("form_id", "context", "url"),
    [
        (
            "mY59xq",
            {
                "id_siae": 4321,
                "type_siae": "Atelier chantier d'insertion",
                "region": "Provence-Alpes-Côte d'Azur",
                "departement": "13",
            },
            "https://tally.so/r/mY59xq?id_siae=4321&type_siae=Atelier+chantier+d%27insertion"
            "&region=Provence-Alpes-C%C3%B4te+d%27Azur&departement=13",
        ),
        (
            "mY59xq",
            {"id_siae": 4321, "type_siae": "Entreprise d'insertion", "region": None, "departement": ""},
            "https://tally.so/r/mY59xq?id_siae=4321&type_siae=Entreprise+d%27insertion&region=&departement=",
        ),
        (
            "w2EoDp",
            {"idorganisation": 77, "region": "Île-de-France", "departement": "93"},
            "https://tally.so/r/w2EoDp?idorganisation=77&region=%C3%8Ele-de-France&departement=93",
        ),
        ("wA799W", {}, "https://tally.so/r/wA799W"),
    ],
    ids=["ACI", "no department", "prescriber", "no context"],
)
def test_a_link_holds_its_context_in_order_and_sends_what_is_missing_empty(
    form_id: str, context: dict[str, Any], url: str
):
    assert FORMS.get_tally_form_url(form_id, **context) == url


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a&b=c+d/e~f#g", "a%26b%3Dc%2Bd%2Fe~f%23g"),
        ("e\u0301", "%C3%A9"),
        ("Association intermédiaire", "Association+interm%C3%A9diaire"),
        ("l’Échelle", "l%E2%80%99%C3%89chelle"),
        ("a_b.c-d~e", "a_b.c-d~e"),
        (1_000_000, "1000000"),
        (0, "0"),
    ],
)
def test_values_are_encoded_as_forms_are(value: str | int, encoded: str):
    assert FORMS.get_tally_form_url("mY59xq", x=value) == f"https://tally.so/r/mY59xq?x={encoded}"


@given(st.dictionaries(st.text("abcdefIDS_", min_size=1), st.text("aéàêÎ’&=+ /#?%\n", max_size=20), max_size=5))
def test_reading_the_query_gives_the_values_back(context: dict[str, str]):
    url = FORMS.get_tally_form_url("mY59xq", **context)

    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [*context.items()]


def test_any_name_can_be_a_key_of_the_context():
    assert FORMS.get_tally_form_url("mY59xq", **{"self": 1, "form_id": 2}).endswith("?self=1&form_id=2")


@pytest.mark.parametrize("form_id", ["../x", "", "abc", "a" * 13, "mY59xé", "mY59xq?", "mY59xq\n", "mY/9xq"])
def test_what_is_no_form_id_is_refused(form_id: str):
    with pytest.raises(ValueError, match="4 to 12 letters and digits"):
        FORMS.get_tally_form_url(form_id)


@pytest.mark.parametrize("url", ["", "tally.so", "http://tally.so", "ftp://tally.so", "https://", "https://t.so?x=1"])
def test_an_address_that_is_no_https_one_is_refused(url: str):
    with pytest.raises(ValueError, match="https://host expected"):
        TallyForms(url)


def test_the_sandbox_may_be_reached_without_tls():
    forms = TallyForms("http://127.0.0.1:8001/tally/", allow_http=True)

    assert forms.get_tally_form_url("mY59xq") == "http://127.0.0.1:8001/tally/r/mY59xq"


def test_the_signature_of_the_raw_bytes_passes():
    assert len(BODY) == 287
    assert verify_tally_signature(BODY, SIGNATURE, [SECRET])
    assert verify_tally_signature(BODY, SIGNATURE, ["of another form", SECRET])


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        SIGNATURE[:-2] + "d=",  # the same 32 bytes, in another spelling
        SIGNATURE[:-2] + "A=",
        SIGNATURE[:-1],
        "A" + SIGNATURE[1:],
        SIGNATURE + "=",
        f" {SIGNATURE}",
        SIGNATURE.replace("+", "-"),
        hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
        base64.b64encode(b"short").decode(),
        "é" * 44,
    ],
)
def test_any_other_signature_is_refused(signature: str | None):
    assert not verify_tally_signature(BODY, signature, [SECRET])


@pytest.mark.parametrize("secrets", [[], [""], ["another"]])
def test_without_the_right_secret_nothing_passes(secrets: list[str]):
    assert not verify_tally_signature(BODY, SIGNATURE, secrets)


def test_a_body_written_with_escapes_is_refused():
    written_anew = BODY.replace("ê".encode(), b"\\u00ea")

    assert not verify_tally_signature(written_anew, SIGNATURE, [SECRET])


def test_a_submission_is_read_without_any_answer():
    found = read_tally_event(event())

    assert (found.event_type, found.form_id, found.response_id, found.submission_id) == (
        "FORM_RESPONSE",
        "mY59xq",
        "2xyz4n",
        "2xyz4n",
    )
    assert found.submitted_at == datetime(2026, 3, 2, 9, 14, 58, tzinfo=UTC)
    assert dict(found.hidden) == {"id_siae": "4321", "ref": REF}
    assert REF not in repr(found)


def test_what_may_be_kept_holds_no_answer_no_question_and_no_respondent_and_is_read_again_alike():
    content = event()
    found = read_tally_event(content)

    kept = found.stored_body()

    assert not any(text in kept for text in (b"Satisfaction", b"ec321dc4", b"qui@exemple.test", b"Adresse", b"dwFicT"))
    assert read_tally_event(kept) == found
    assert orjson.loads(kept)["bodySha256"] == hashlib.sha256(content).hexdigest()


def test_one_submission_has_one_fingerprint_under_whatever_event_id():
    again = read_tally_event(event(eventId="another", createdAt="2026-03-02T09:20:00.000Z"))
    other_form = read_tally_event(event(SUBMISSION | {"formId": "w2EoDp"}))
    other_one = read_tally_event(event(SUBMISSION | {"submissionId": "3aaaaa"}))
    found = read_tally_event(event())

    assert found.fingerprint == again.fingerprint
    assert len({found.fingerprint, other_form.fingerprint, other_one.fingerprint}) == 3


def test_without_a_submission_id_the_response_id_is_the_key():
    found = read_tally_event(event(without("submissionId")))

    assert found.submission_id is None
    assert found.fingerprint == read_tally_event(event()).fingerprint


@pytest.mark.parametrize("value", [None, "", 4321, ["x"], {"a": 1}])
def test_a_hidden_field_that_is_not_filled_with_text_counts_as_absent(value: object):
    fields = [{"label": "ref", "type": "HIDDEN_FIELDS", "value": value}]

    assert not read_tally_event(event(SUBMISSION | {"fields": fields})).hidden


@pytest.mark.parametrize("fields", [None, "x", [None, 3, "x", {}], [{"label": None, "type": "HIDDEN_FIELDS"}]])
def test_fields_of_another_shape_are_skipped(fields: object):
    assert not read_tally_event(event(SUBMISSION | {"fields": fields})).hidden


def test_what_a_respondent_wrote_into_the_link_is_cut_to_a_size():
    fields = [{"label": f"k{number}", "type": "HIDDEN_FIELDS", "value": "x" * 9_999} for number in range(900)]

    hidden = read_tally_event(event(SUBMISSION | {"fields": fields})).hidden

    assert len(hidden) == 50
    assert {len(value) for value in hidden.values()} == {255}


def test_an_event_of_another_kind_needs_nothing_but_its_id():
    found = read_tally_event(event({}, eventType="SOMETHING_NEW"))
    same = read_tally_event(event([], eventType="SOMETHING_NEW"))
    other = read_tally_event(event({}, eventType="SOMETHING_NEW", eventId="other"))

    assert (found.is_response, found.form_id) == (False, None)
    assert found.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "a JSON object"),
        (b"[]", "a JSON object"),
        (b"garbage", "a JSON object"),
        (event(eventId=None), "eventId"),
        (event(eventType=3), "eventType"),
        (event("text"), "data"),
        (event(without("formId")), "data.formId"),
        (event(SUBMISSION | {"formId": 3}), "data.formId"),
        (event(without("responseId")), "data.responseId"),
    ],
)
def test_what_is_no_event_is_refused_with_the_place_and_without_the_content(content: bytes, where: str):
    with pytest.raises(UnreadableSubmission) as caught:
        read_tally_event(content)

    assert caught.value.where == where
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("submitted_at", "answered_at"),
    [
        ("2026-03-02T09:14:58.000Z", datetime(2026, 3, 2, 9, 14, 58, tzinfo=UTC)),
        ("2026-03-02T09:20:30.000Z", datetime(2026, 3, 2, 9, 20, 30, tzinfo=UTC)),
        ("2026-03-02T09:20:31.000Z", NOW),
        ("2026-03-02T09:14:58.000", NOW),
        ("soon", NOW),
        (None, NOW),
    ],
    ids=["past", "five minutes ahead", "further ahead", "no offset", "unreadable", "absent"],
)
def test_the_answer_is_dated_by_tally_unless_that_lies_in_the_future(submitted_at: object, answered_at: datetime):
    found = read_tally_event(event(SUBMISSION | {"createdAt": submitted_at}))

    assert found.answered_at(received_at=NOW) == answered_at
