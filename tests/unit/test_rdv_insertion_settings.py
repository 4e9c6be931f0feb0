"""The settings of RDV-Insertion: all or none, HTTPS in production, and what is made of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from settings import Settings, SettingsError, load_settings
from wiring import invitation_hold, inviting, rdv_insertion_config

GIVEN = {
    "RDV_SOLIDARITES_API_BASE_URL": "https://rdv.exemple.test/api/v1/",
    "RDV_SOLIDARITES_EMAIL": "agent@exemple.test",
    "RDV_SOLIDARITES_PASSWORD": "an invented password",
    "RDV_INSERTION_API_BASE_URL": "https://rdvi.exemple.test/api/v1/",
}


def settings_from(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> Settings:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.mark.parametrize("missing", GIVEN)
def test_a_variable_that_is_missing_stops_the_start(monkeypatch: pytest.MonkeyPatch, missing: str):
    with pytest.raises(SettingsError, match=f"^{missing}: missing, although other RDV_ variables are set"):
        settings_from(monkeypatch, {name: value for name, value in GIVEN.items() if name != missing})


@pytest.mark.parametrize("name", ["RDV_SOLIDARITES_API_BASE_URL", "RDV_INSERTION_API_BASE_URL"])
@pytest.mark.parametrize("address", ["rdv.exemple.test", "ftp://rdv.exemple.test"])
def test_an_address_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, address: str):
    with pytest.raises(SettingsError, match=f"{name}: an http:// or https:// URL is expected"):
        settings_from(monkeypatch, GIVEN | {name: address})


@pytest.mark.parametrize("name", ["RDV_SOLIDARITES_API_BASE_URL", "RDV_INSERTION_API_BASE_URL"])
def test_production_wants_https(monkeypatch: pytest.MonkeyPatch, name: str):
    plain = GIVEN | {name: "http://rdv.exemple.test/api/v1/", "ENVIRONMENT": "production"}

    with pytest.raises(SettingsError, match=f"{name}: an https:// URL is required in production"):
        settings_from(monkeypatch, plain)


@pytest.mark.parametrize("days", ["0", "-1", "366", "dix"])
def test_a_hold_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, days: str):
    with pytest.raises(SettingsError, match="RDV_INSERTION_INVITE_HOLD_DAYS"):
        settings_from(monkeypatch, {"RDV_INSERTION_INVITE_HOLD_DAYS": days})


def test_what_is_set_reaches_the_client(monkeypatch: pytest.MonkeyPatch):
    more = {
        "RDV_SOLIDARITES_TOKEN_EXPIRY": "3600",
        "RDV_INSERTION_TIMEOUT_SECONDS": "7",
        "RDV_INSERTION_MAX_RPS": "0.5",
        "RDV_INSERTION_INVITE_HOLD_DAYS": "3",
    }

    settings = settings_from(monkeypatch, GIVEN | more)

    config = rdv_insertion_config(settings)
    assert config is not None
    assert (config.base_url, config.rdv_solidarites_base_url) == (
        GIVEN["RDV_INSERTION_API_BASE_URL"],
        GIVEN["RDV_SOLIDARITES_API_BASE_URL"],
    )
    assert (config.email, config.password) == ("agent@exemple.test", "an invented password")
    assert (config.token_seconds, config.timeout_seconds) == (3600, 7)
    assert set(config.pace_rates().values()) == {0.5}
    assert invitation_hold(settings) == timedelta(days=3)


def test_secrets_do_not_print_themselves(monkeypatch: pytest.MonkeyPatch):
    settings = settings_from(monkeypatch, GIVEN)

    assert "agent@exemple.test" not in repr(settings)
    assert "invented password" not in repr(settings) + repr(rdv_insertion_config(settings))


async def test_without_settings_nobody_is_invited(monkeypatch: pytest.MonkeyPatch):
    settings = settings_from(monkeypatch, {})

    async with AsyncExitStack() as stack:
        assert await inviting(settings, Redis(), stack) is None


async def test_with_settings_the_hold_is_that_of_the_server(monkeypatch: pytest.MonkeyPatch):
    settings = settings_from(monkeypatch, GIVEN | {"RDV_INSERTION_INVITE_HOLD_DAYS": "3"})

    async with AsyncExitStack() as stack:
        made = await inviting(settings, Redis(), stack)

    assert made is not None
    assert made.hold == timedelta(days=3)
