"""From `REDIS_URL` to a client: TLS that checks names, Sentinels, bounds on every wait."""

from __future__ import annotations

import pickle
from typing import Any, cast

import orjson
import pytest
from redis.asyncio import SSLConnection
from redis.asyncio.sentinel import SentinelConnectionPool

from jobs.serialization import deserialize, serialize
from jobs.valkey import connect


def options_of(url: str) -> dict[str, Any]:
    return cast("dict[str, Any]", connect(url).connection_pool.connection_kwargs)


def test_a_plain_url_names_the_server_the_account_and_the_database():
    options = options_of("redis://worker:s%40cret@valkey.example:6380/3")

    assert (options["host"], options["port"], options["db"]) == ("valkey.example", 6380, 3)
    assert (options["username"], options["password"]) == ("worker", "s@cret")


@pytest.mark.parametrize("url", ["redis://h/0", "rediss://h/0", "redis+sentinel://h/group"])
def test_every_wait_is_bounded_and_a_broken_connection_is_tried_again(url: str):
    options = options_of(url)

    assert 0 < options["socket_connect_timeout"] <= 5
    assert 0 < options["socket_timeout"] <= 10
    assert options["retry_on_timeout"] is True
    assert options["retry_on_error"]


def test_tls_checks_the_certificate_and_the_name_in_it():
    pool = connect("rediss://valkey.example:6380/0").connection_pool
    connection = pool.make_connection()

    assert pool.connection_class is SSLConnection
    assert connection.ssl_context.check_hostname is True  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    assert connection.ssl_context.cert_reqs.name == "CERT_REQUIRED"  # pyright: ignore[reportAttributeAccessIssue]


def test_sentinels_are_asked_for_the_primary_of_their_group():
    pool = connect("redis+sentinel://worker:pass@one:26379,two:26380,three/main/2?ssl=true").connection_pool

    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "main"
    sentinels = cast("list[Any]", pool.sentinel_manager.sentinels)
    asked: list[dict[str, Any]] = [sentinel.connection_pool.connection_kwargs for sentinel in sentinels]
    assert [(options["host"], options["port"]) for options in asked] == [
        ("one", 26379),
        ("two", 26380),
        ("three", 26379),
    ]
    assert all(options["socket_timeout"] for options in asked)
    options = cast("dict[str, Any]", pool.connection_kwargs)
    assert (options["db"], options["username"], options["password"]) == (2, "worker", "pass")
    assert options["ssl_check_hostname"] is True


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://valkey.example", "expected redis, rediss or redis"),
        ("redis+sentinel://one,two", "no Sentinel group"),
    ],
)
def test_a_url_that_cannot_work_says_what_is_expected(url: str, expected: str):
    with pytest.raises(ValueError, match=expected):
        connect(url)


class CodedError(Exception):
    code = "S022"


def test_an_exception_travels_as_its_class_and_code_without_its_text():
    sent = serialize({"r": CodedError("Maëlle 293046912304591"), "other": ValueError("secret")})

    assert deserialize(sent) == {
        "r": {"error_class": "CodedError", "code": "S022"},
        "other": {"error_class": "ValueError", "code": None},
    }


def test_what_is_neither_json_nor_an_exception_is_refused():
    with pytest.raises(TypeError):
        serialize({"a": object()})


def test_nothing_is_unpickled():
    with pytest.raises(orjson.JSONDecodeError):
        deserialize(pickle.dumps({"t": 1}))
