"""Connections to Valkey or Redis, as `REDIS_URL` says: one server, one behind TLS, or a group with Sentinels."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

_SENTINEL_PORT = 26379
_CONNECT_SECONDS = 2.0
_COMMAND_SECONDS = 5.0
_RETRIES = 3
_LONGEST_PAUSE_SECONDS = 1.0


def connect(url: str) -> Redis:
    """Return a client that connects when it is first used; whoever asked closes it. Raises ValueError for a bad URL.

    Forms: `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS with the host's name checked,
    `redis+sentinel://[user:password@]host[:port],host[:port].../group[/db]`, with `?ssl=true` for TLS.
    """
    scheme = urlsplit(url).scheme
    if scheme == "redis+sentinel":
        return _behind_sentinels(url)
    if scheme not in ("redis", "rediss"):
        raise ValueError(f'Valkey URL: scheme "{scheme}", expected redis, rediss or redis+sentinel')
    return Redis.from_url(url, **_options(), **(_tls() if scheme == "rediss" else {}))


def _behind_sentinels(url: str) -> Redis:
    parts = urlsplit(url)
    credentials, _, addresses = parts.netloc.rpartition("@")
    user, _, password = credentials.rpartition(":") if ":" in credentials else ("", "", credentials)
    group, _, database = parts.path.strip("/").partition("/")
    if not group:
        raise ValueError("Valkey URL: no Sentinel group, expected redis+sentinel://host:26379,host:26379/group/0")
    options = _options() | {"username": unquote(user) or None, "password": unquote(password) or None}
    if parse_qs(parts.query).get("ssl", ["false"])[0] == "true":
        options |= {"ssl": True, **_tls()}
    # The Sentinels get the same bounds: one that hangs must not keep the others from being asked.
    bounds = {"socket_connect_timeout": _CONNECT_SECONDS, "socket_timeout": _COMMAND_SECONDS}
    sentinel = Sentinel(
        [_address(text) for text in addresses.split(",")],
        min_other_sentinels=0,
        sentinel_kwargs=bounds,
        **options,
    )
    return sentinel.master_for(group, db=int(database or 0))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    return host, int(port or _SENTINEL_PORT)


def _options() -> dict[str, Any]:
    return {
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": _COMMAND_SECONDS,
        "health_check_interval": 30,
        "retry": Retry(ExponentialBackoff(cap=_LONGEST_PAUSE_SECONDS, base=0.05), _RETRIES),
        "retry_on_timeout": True,
        "retry_on_error": [RedisConnectionError, RedisTimeoutError],
    }


def _tls() -> dict[str, Any]:
    # redis-py 5 leaves the check of the name off: any valid certificate would do.
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
