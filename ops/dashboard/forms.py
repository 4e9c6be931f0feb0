"""Forms: read in bounds, and believed only when our own page sent them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

_MOST_BYTES = 64_000
_MOST_FIELDS = 1_000
_MEDIA_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form, in their order; several of one name are possible."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """Return the first value of that name, without the blanks around it; "" if there is none."""
        return next((value.strip() for found, value in self._fields if found == name), "")

    def texts(self, name: str) -> list[str]:
        return [value for found, value in self._fields if found == name]


async def read_form(request: Request, *, most_bytes: int = _MOST_BYTES) -> Form:
    """Return the form of a request. Raises HTTPException (400, 413, 415) for what no page of ours sends."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
        raise HTTPException(415)
    body = await read_bounded(request, most_bytes)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:  # also what is no UTF-8
        raise HTTPException(400) from None
    if any("\x00" in value for _, value in fields):
        raise HTTPException(400)
    return Form(fields)


async def read_bounded(request: Request, most_bytes: int) -> bytes:
    """Return the body of a request. Raises HTTPException (413) for one that is longer."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(413)
    return bytes(body)


def comes_from_here(request: Request) -> bool:
    """Whether the browser says that a page of this site sent the request; one that says nothing is no browser."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.url.netloc}"
