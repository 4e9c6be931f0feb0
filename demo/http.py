"""JSON over HTTP to the demo's own processes on loopback. Partners are spoken to by `clients`, not from here."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import orjson

# Never through a proxy of the environment: everything is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_TIMEOUT_SECONDS = 10.0


class Unreachable(Exception):
    """No usable answer. `str()` says from where, and with what status if there was one."""


async def call_json(
    url: str, *, method: str = "GET", body: object = None, headers: Mapping[str, str] | None = None
) -> Any:
    """Return the JSON of the answer, None for an empty one. Raises Unreachable for anything but a 2xx."""
    return await asyncio.to_thread(_call, url, method, body, headers or {})


def _call(url: str, method: str, body: object, headers: Mapping[str, str]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - loopback URLs that the demo has built itself
        url,
        method=method,
        data=None if body is None else orjson.dumps(body),
        headers={"Content-Type": "application/json", "Accept": "application/json", **headers},
    )
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            content = answer.read()
    except urllib.error.HTTPError as error:
        raise Unreachable(f"{method} {url}: HTTP {error.code}") from None
    except OSError as error:
        raise Unreachable(f"{method} {url}: {type(error).__name__}") from None
    return orjson.loads(content) if content else None
