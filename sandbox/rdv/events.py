"""RDV-Insertion's webhooks: how the body is written, and how it is signed."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import orjson
from msgspec import Meta

from sandbox.shapes import AwareDatetime, Shape
from sandbox.webhooks import OutgoingWebhook, SendOptions

_PARIS = ZoneInfo("Europe/Paris")
_JWT_VALIDITY = timedelta(minutes=10)
# Rails writes these as escapes, so that JSON may stand inside a page.
_RAILS_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Signing(StrEnum):
    HMAC = "hmac"
    JWT = "jwt"
    NONE = "none"
    WRONG = "wrong"


class RDVSendOptions(SendOptions):
    """`encoding`: the bytes that leave; they are signed as UTF-8 all the same."""

    sign: Signing = Signing.HMAC
    encoding: Literal["utf-8", "latin-1"] = "utf-8"


class EventOrder(Shape):
    """One event: about `data`, or about the resource of that `id` as it is now."""

    model: Annotated[str, Meta(min_length=1)]
    event: Annotated[str, Meta(min_length=1)] = "updated"
    data: dict[str, Any] | None = None
    id: int | None = None
    timestamp: AwareDatetime | None = None


def rails_json(value: Any) -> str:
    """Compact, letters as they are, and Rails' own escapes."""
    text = orjson.dumps(value).decode()
    for character, escape in _RAILS_ESCAPES.items():
        text = text.replace(character, escape)
    return text


def outgoing(
    model: str, event: str, data: dict[str, Any], *, at: datetime, options: RDVSendOptions, secret: str, now: datetime
) -> OutgoingWebhook:
    """Raise ValueError when the body has letters that the wanted encoding lacks."""
    meta = {"model": model, "event": event, "timestamp": f"{at.astimezone(_PARIS):%Y-%m-%d %H:%M:%S %z}"}
    text = rails_json({"data": data, "meta": meta})
    try:
        body = text.encode(options.encoding)
    except UnicodeEncodeError:
        raise ValueError("the event has letters outside LATIN-1; leave encoding out") from None
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return OutgoingWebhook(
        about={"model": model, "event": event, "id": data.get("id"), "timestamp": meta["timestamp"]},
        headers=headers | _signature(text.encode(), data, options.sign, secret, now),
        body=body,
    )


def _signature(body: bytes, data: dict[str, Any], signing: Signing, secret: str, now: datetime) -> dict[str, str]:
    match signing:
        case Signing.HMAC:
            return {"X-RDVI-SIGNATURE": _hexadecimal(body, secret)}
        case Signing.WRONG:
            return {"X-RDVI-SIGNATURE": _hexadecimal(body, f"not {secret}")}
        case Signing.JWT:
            return {"Authorization": f"Bearer {_jwt(data, secret, now)}"}
        case Signing.NONE:
            return {}


def _hexadecimal(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _jwt(data: dict[str, Any], secret: str, now: datetime) -> str:
    """The expiry stands in the header, and three values only are claimed: so does the partner."""
    header = {"typ": "JWT", "exp": int((now + _JWT_VALIDITY).timestamp()), "alg": "HS256"}
    claims = {key: data.get(key) for key in ("id", "address", "starts_at")}
    signed = f"{_part(orjson.dumps(header))}.{_part(orjson.dumps(claims))}"
    return f"{signed}.{_part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
