"""Which answer means what: the classification of API Particulier's answers.

The surprising row is the 404 with an error code: the person was recognised, and no fund has a file. It is the 422 that
means "who is this?".
"""

import re
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, NoReturn

from clients.answers import PERMANENT, Reply
from clients.api_particulier.config import LONGEST_WAIT_SECONDS
from clients.api_particulier.errors import ApiParticulierMisconfigured, ApiParticulierUnavailable
from clients.api_particulier.outcomes import BenefitRight, Certification, Outcome
from clients.shapes import Shape, Wire, object_or_none

_NO_FILE = frozenset({"10003", "23003", "35003", "37003"})  # MSA, CNAF, either of them, the staging data
_NO_FILE_AT_ALL = "35003"
_COLLECTION_FAILED = "erreur inattendue"  # the title that turns 35003 into "ask again"
_NOT_IDENTIFIED = "00366"
_TOO_MANY_REQUESTS = "00429"
_PROVIDER_IS_LOST = frozenset({"36999", "37999"})
_STILL_RUNNING_SECONDS = 60.0
_OUR_FAULT = (frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}) | PERMANENT) - {
    HTTPStatus.UNPROCESSABLE_ENTITY
}
# These are stored: anything else than such words could be about the person.
_CODE = re.compile(r"\d{3,8}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9 _.'-]{1,64}", re.ASCII)


class _Data(Wire):
    est_beneficiaire: bool | None = None
    avec_majoration: bool | None = None
    date_debut_droit: date | None = None


class _Answer(Wire):
    data: _Data


class _Refusal(Wire):
    errors: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Error:
    """What is of use in an error. Details that are odd are left out: they must not hide the code beside them."""

    code: str | None
    title: str
    provider: str | None
    retry_in: float | None


_ANSWER = Shape(_Answer)
_REFUSAL = Shape(_Refusal)


def read_answer(reply: Reply) -> Certification:
    """The four outcomes that are answers; ApiParticulierMisconfigured or PartnerUnavailable for the two others."""
    if reply.status == HTTPStatus.OK:
        return _certified(reply)
    errors = _errors_of(reply)
    if _is_rate_limit(reply, errors):
        raise reply.rate_limited()
    outcome = _outcome(reply.status, errors)
    if outcome is None:
        _fail(reply, errors)
    return Certification(
        outcome=outcome,
        http_status=reply.status,
        code=errors[0].code,
        provider=_provider(errors),
        request_id=_request_id(reply),
    )


def _certified(reply: Reply) -> Certification:
    data = reply.parse(_ANSWER).data
    return Certification(
        outcome=Outcome.CERTIFIED,
        benefit=BenefitRight(
            is_beneficiary=data.est_beneficiaire,
            has_increase=data.avec_majoration,
            started_on=data.date_debut_droit,
        ),
        http_status=reply.status,
        request_id=_request_id(reply),
    )


def _outcome(status: int, errors: list[_Error]) -> Outcome | None:
    """The outcome of a refusal that is an answer; None for the others."""
    if not errors:
        return None
    code, title = errors[0].code, errors[0].title
    match status:
        case HTTPStatus.NOT_FOUND if code in _NO_FILE:
            has_failed = code == _NO_FILE_AT_ALL and title == _COLLECTION_FAILED
            return None if has_failed else Outcome.IDENTITY_ONLY
        case HTTPStatus.UNPROCESSABLE_ENTITY if code == _NOT_IDENTIFIED:
            return Outcome.IDENTITY_NOT_FOUND
        case HTTPStatus.BAD_GATEWAY if len(errors) == 1 and code in _PROVIDER_IS_LOST:
            return Outcome.PROVIDER_UNKNOWN
        case _:
            return None


def _fail(reply: Reply, errors: list[_Error]) -> NoReturn:
    kind = ApiParticulierMisconfigured if _is_our_fault(reply.status, errors) else ApiParticulierUnavailable
    error = kind(
        reply.partner,
        reply.operation,
        "our token, address or request is wrong" if kind is ApiParticulierMisconfigured else "no usable answer",
        code=(errors[0].code if errors else None) or str(reply.status),
        http_status=reply.status,
        retry_after=None if kind is ApiParticulierMisconfigured else _retry_after(reply, errors),
        delivery=reply.delivery,
    )
    error.provider = _provider(errors)
    error.request_id = _request_id(reply)
    raise error


def _is_our_fault(status: int, errors: list[_Error]) -> bool:
    match status:
        case HTTPStatus.NOT_FOUND:
            # Without an error of theirs it is not their 404: the address is wrong. A code that nobody documented
            # certifies nothing, and may be another one tomorrow.
            return not errors
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return bool(errors)
        case _:
            return status in _OUR_FAULT


def _is_rate_limit(reply: Reply, errors: list[_Error]) -> bool:
    """A gateway in front of the API sometimes says so in a 503."""
    return (
        reply.status == HTTPStatus.TOO_MANY_REQUESTS
        or any(error.code == _TOO_MANY_REQUESTS for error in errors)
        or (reply.status == HTTPStatus.SERVICE_UNAVAILABLE and "trop de requêtes" in _text(reply).lower())
    )


def _retry_after(reply: Reply, errors: list[_Error]) -> float | None:
    if reply.status == HTTPStatus.CONFLICT:
        return _STILL_RUNNING_SECONDS
    asked = (error.retry_in for error in errors if error.retry_in is not None)
    return next(asked, reply.retry_after)


def _provider(errors: list[_Error]) -> str | None:
    return next((error.provider for error in errors if error.provider), None)


def _request_id(reply: Reply) -> str | None:
    return _word(reply.headers.get("X-Request-ID"))


def _text(reply: Reply) -> str:
    return reply.body[:2000].decode(errors="replace")


def _errors_of(reply: Reply) -> list[_Error]:
    """The errors of a body that comes from the API proper; none for a proxy's page."""
    refusal = _REFUSAL.read_or_none(reply.body)
    return [] if refusal is None else [_error_of(error) for error in refusal.errors]


def _error_of(error: dict[str, Any]) -> _Error:
    title, meta = error.get("title"), object_or_none(error.get("meta")) or {}
    return _Error(
        code=_code(error.get("code")),
        title=title.strip().lower() if isinstance(title, str) else "",
        provider=_word(meta.get("provider")),
        retry_in=_seconds(meta.get("retry_in")),
    )


def _code(value: object) -> str | None:
    text = str(value) if isinstance(value, int) else value
    return text if isinstance(text, str) and _CODE.fullmatch(text) else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= LONGEST_WAIT_SECONDS else None
