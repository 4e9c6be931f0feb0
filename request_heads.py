"""What stands before a request's body, as the web server takes it: of a bounded size, and in one way to read it only.

httptools reads heads of any size, and leaves it to the application to miss a Host.
"""

from __future__ import annotations

from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MOST_HEAD_BYTES = 32_768
MOST_HEADERS = 100


class HeadRefused(Exception):
    """Raised out of the parser, which stops at it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class BoundedHead(HttpToolsProtocol):
    """Answers 431 to heads above their size, and 400 to what cannot be read, or could be in two ways; then it closes.

    Sources: RFC 6585 §5; RFC 9112 §3.2 (Host) and §11.2 (request smuggling).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refusal: HeadRefused | None = None
        self._is_in_message = self._is_in_head = False
        # Of a head that is not whole yet: the parser keeps what is unfinished to itself, however long it grows.
        self._head_bytes = 0
        self._begun = 0

    def data_received(self, data: bytes) -> None:
        follows_another, self._begun = self._is_in_message and not self._is_in_head, 0
        super().data_received(data)
        if not self._is_in_head:
            return
        # What came in one piece with the end of another request is not known to be of this head.
        if self._begun == 0 or (self._begun == 1 and not follows_another):
            self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refusal = _too_large()
            self.send_400_response("")

    def on_message_begin(self) -> None:
        self._is_in_message = self._is_in_head = True
        self._head_bytes = 0
        self._begun += 1
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._is_in_message = False
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        try:
            self._check_head()
        except HeadRefused as refusal:
            self._refusal = refusal
            raise
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's words say less than ours)
        refusal = self._refusal or HeadRefused(400, "request: not to be read in one way only, as HTTP wants it")
        code = "LIMIT_EXCEEDED" if refusal.status == 431 else "BAD_USER_INPUT"
        body = orjson.dumps({"errors": [{"message": refusal.message, "extensions": {"code": code}}]})
        head = (
            b"content-type: application/json; charset=utf-8\r\ncache-control: no-store\r\n"
            b"x-content-type-options: nosniff\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[refusal.status] + head + body)
        self.transport.close()

    def _check_head(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MOST_HEAD_BYTES or len(self.headers) > MOST_HEADERS:
            raise _too_large()
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and cast("Any", self.parser).get_http_version() == "1.1"):
            raise HeadRefused(400, f"Host: {hosts} of them, exactly one expected")


def _too_large() -> HeadRefused:
    return HeadRefused(431, f"head: at most {MOST_HEAD_BYTES} bytes and {MOST_HEADERS} headers are accepted")
