"""Tally: links to survey forms, and the webhook that tells of an answer.

Sources: Tally's help centre (webhooks) and developer pages. Towards Tally only links are built; nothing is called.
"""

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import msgspec
import orjson

from clients.shapes import Shape, Unreadable, Wire, object_or_none, objects_of

FORM_RESPONSE = "FORM_RESPONSE"

_FORM_ID = re.compile(r"[A-Za-z0-9]{4,12}", re.ASCII)
_HIDDEN = "HIDDEN_FIELDS"
_MAX_LABEL = 64
_MAX_VALUE = 255
_MAX_ID = 64
_MAX_HIDDEN_FIELDS = 50
_CLOCK_TOLERANCE = timedelta(minutes=5)

Value = str | int | None


def is_form_id(text: str) -> bool:
    return _FORM_ID.fullmatch(text) is not None


class TallyForms:
    """Where the forms are. There is none of these while no address is configured: surveys are off then."""

    def __init__(self, base_url: str, *, allow_http: bool = False) -> None:
        """Raise ValueError unless the address is `https://host[/path]`; `allow_http` is for tests and the sandbox."""
        parts = urlsplit(base_url)
        schemes = {"https", "http"} if allow_http else {"https"}
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f'Tally address "{base_url}": https://host expected, without query; correct TALLY_URL')
        self._base_url = base_url.rstrip("/")

    def get_tally_form_url(self, form_id: str, /, **context: Value) -> str:
        """The link to a form whose hidden fields are filled from `context`, in its order.

        A value that is missing is sent empty: the form tells "not known" from "not asked". Nothing personal belongs
        here, the link travels through browsers and their histories. Raises ValueError for what is no form id.
        """
        if not is_form_id(form_id):
            raise ValueError(f"Tally form id of {len(form_id)} characters: 4 to 12 letters and digits expected")
        url = f"{self._base_url}/r/{form_id}"
        query = urlencode([(key, _parameter(value)) for key, value in context.items()])
        return f"{url}?{query}" if query else url


def _parameter(value: Value) -> str:
    # A decomposed accent would be another value for whoever compares what the form received.
    return "" if value is None else unicodedata.normalize("NFC", str(value))


def verify_tally_signature(body: bytes, signature: str | None, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets signed these bytes: base64 of HMAC-SHA256, in the one canonical spelling."""
    given = _decode_signature(signature or "")
    return given is not None and any(
        secret and hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).digest(), given)
        for secret in secrets
    )


def _decode_signature(signature: str) -> bytes | None:
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Base64 has unused bits at its end, so several spellings of the same bytes: only the encoder's own is taken.
    return raw if base64.b64encode(raw).decode() == signature else None


class UnreadableSubmission(Exception):
    """A body that is no event of Tally. `where` is a path of keys; nothing of the content is in it."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where

    def __str__(self) -> str:
        return f"Tally event: {self.where} missing or of another shape than documented"


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyEvent:
    """One event, without any answer: of the form's fields only the hidden ones, which our own link filled.

    The respondent can edit the link: use `hidden` to find a row, never to grant anything. `form_id` and `response_id`
    are there whenever `is_response`. Both dates are in UTC, None when absent or unreadable.
    """

    event_id: str
    event_type: str
    created_at: datetime | None
    form_id: str | None
    response_id: str | None
    submission_id: str | None
    submitted_at: datetime | None
    hidden: Mapping[str, str] = field(repr=False)
    body_sha256: str = field(compare=False)

    @property
    def is_response(self) -> bool:
        return self.event_type == FORM_RESPONSE

    @property
    def fingerprint(self) -> str:
        """The same for every delivery of one submission, under whatever event id; SHA-256 of its own key."""
        key = f"{self.form_id}:{self.submission_id or self.response_id}" if self.is_response else self.event_id
        return hashlib.sha256(f"{self.event_type}:{key}".encode()).hexdigest()

    def answered_at(self, *, received_at: datetime) -> datetime:
        """When the form was submitted; when we heard of it, if that is not said or lies in the future."""
        if self.submitted_at is None or self.submitted_at > received_at + _CLOCK_TOLERANCE:
            return received_at
        return self.submitted_at

    def stored_body(self) -> bytes:
        """The event as it may be kept, in Tally's own shape: `read_tally_event` reads it again.

        No answer, no label of a question, nothing that identifies the respondent.
        """
        return orjson.dumps(
            {
                "eventId": self.event_id,
                "eventType": self.event_type,
                "createdAt": _iso(self.created_at),
                "bodySha256": self.body_sha256,
                "data": {
                    "responseId": self.response_id,
                    "submissionId": self.submission_id,
                    "formId": self.form_id,
                    "createdAt": _iso(self.submitted_at),
                    "fields": [
                        {"label": label, "type": _HIDDEN, "value": value} for label, value in self.hidden.items()
                    ],
                },
            }
        )


def _moment(value: object) -> datetime | None:
    """ISO 8601 with an offset, in UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_ID else None


class _Event(Wire):
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=_MAX_ID)] = msgspec.field(name="eventId")
    event_type: Annotated[str, msgspec.Meta(min_length=1, max_length=_MAX_ID)] = msgspec.field(name="eventType")
    created_at: Any = msgspec.field(name="createdAt", default=None)
    data: Any = None


_EVENT = Shape(_Event)


def read_tally_event(body: bytes) -> TallyEvent:
    """Raise UnreadableSubmission without JSON, `eventId`, `eventType` or, for a response, its form and its own id."""
    event = _read(body)
    data, is_response = object_or_none(event.data), event.event_type == FORM_RESPONSE
    if is_response and data is None:
        raise UnreadableSubmission("data")
    data = data or {}
    form_id, response_id = _id(data.get("formId")), _id(data.get("responseId"))
    for key, value in (("data.formId", form_id), ("data.responseId", response_id)):
        if is_response and value is None:
            raise UnreadableSubmission(key)
    return TallyEvent(
        event_id=event.event_id,
        event_type=event.event_type,
        created_at=_moment(event.created_at),
        form_id=form_id,
        response_id=response_id,
        submission_id=_id(data.get("submissionId")),
        submitted_at=_moment(data.get("createdAt")),
        hidden=MappingProxyType(_hidden(objects_of(data.get("fields")))),
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def _hidden(fields: list[dict[str, Any]]) -> dict[str, str]:
    """Absent, null and empty are one and the same: Tally does not say which it sends for a value the link lacked."""
    found: dict[str, str] = {}
    for each in fields:
        label, value = each.get("label"), each.get("value")
        is_wanted = each.get("type") == _HIDDEN and len(found) < _MAX_HIDDEN_FIELDS
        if is_wanted and isinstance(label, str) and isinstance(value, str) and label and value:
            found[label[:_MAX_LABEL]] = value[:_MAX_VALUE]
    return found


def _read(body: bytes) -> _Event:
    try:
        return _EVENT.read(body)
    except Unreadable as error:
        where = error.where
    raise UnreadableSubmission(where or "a JSON object")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
