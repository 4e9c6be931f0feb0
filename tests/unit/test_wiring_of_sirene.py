"""From settings to Sirene: which flavour, which address, which pace."""

from __future__ import annotations

from typing import Any

import pytest

from clients.sirene import APIKey, PasswordGrant
from settings import Secret, Settings, variables_of
from wiring import sirene_config

ACCOUNT: dict[str, Any] = {
    "sirene_auth_url": "https://auth.exemple.test/openid-connect",
    "sirene_client_id": "client",
    "sirene_client_secret": Secret("account-secret"),
    "sirene_username": "compte",
    "sirene_password": Secret("account-password"),
}
ADDRESS: dict[str, Any] = {"sirene_base_url": "https://sirene.exemple.test"}
KEY: dict[str, Any] = {"sirene_api_key": Secret("an-invented-key")}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables_of(Settings):
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_credentials_sirene_is_off():
    assert sirene_config(Settings(**ADDRESS)) is None


def test_a_key_reads_what_is_public_and_wins_over_an_account():
    config = sirene_config(Settings(**KEY, **ACCOUNT))

    assert config is not None
    assert config.credentials == APIKey(value="an-invented-key")
    assert config.base_url == "https://api.insee.fr/api-sirene/3.11"


def test_an_account_reads_what_administrations_are_told():
    config = sirene_config(Settings(**ACCOUNT))

    assert config is not None
    assert isinstance(config.credentials, PasswordGrant)
    assert config.credentials.username == "compte"
    assert config.base_url == "https://api.insee.fr/api-sirene/prive/3.11"


def test_the_address_and_the_pace_are_those_of_the_settings():
    given: dict[str, Any] = {"sirene_base_url": "https://sirene.exemple.test/3.11", "sirene_max_per_minute": 12.0}

    config = sirene_config(Settings(**KEY, **given))

    assert config is not None
    assert config.base_url == given["sirene_base_url"]
    assert list(config.pace_rates().values()) == [0.2]
