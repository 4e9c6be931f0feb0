"""The settings of mails and of Diagoriente."""

from __future__ import annotations

import pytest

from settings import SettingsError, load_settings

PASSWORD = "not-to-be-shown"


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENVIRONMENT", "SMTP_URL", "MAIL_FROM", "PUBLIC_URL", "DIAGORIENTE_URL"):
        monkeypatch.delenv(name, raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_mails_are_off_by_default_and_invitations_lead_to_diagoriente():
    settings = load_settings()

    assert settings.smtp_url is None
    assert settings.diagoriente_url == "https://diagoriente.beta.gouv.fr/services/plateforme"


def test_a_relay_without_a_sender_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    assert "MAIL_FROM: missing" in refusal(monkeypatch, SMTP_URL="smtp://127.0.0.1:25")


@pytest.mark.parametrize("url", [f"http://a:{PASSWORD}@relay", f"smtps://a:{PASSWORD}@relay/path", "relay"])
def test_what_is_no_relay_stops_the_start_without_showing_the_password(monkeypatch: pytest.MonkeyPatch, url: str):
    complaint = refusal(monkeypatch, SMTP_URL=url, MAIL_FROM="a@exemple.test")

    assert complaint.startswith("SMTP_URL:")
    assert PASSWORD not in complaint


def test_a_sender_that_is_no_address_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    complaint = refusal(monkeypatch, SMTP_URL="smtp://127.0.0.1", MAIL_FROM="Traverse")

    assert complaint.startswith("MAIL_FROM:")


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("smtp://relay.exemple.test", True),
        ("smtp://127.0.0.1", False),
        ("smtps://relay.exemple.test", False),
        ("smtp+starttls://relay.exemple.test", False),
    ],
)
def test_production_speaks_to_relays_in_secret(monkeypatch: pytest.MonkeyPatch, url: str, is_refused: bool):
    complaint = refusal(monkeypatch, ENVIRONMENT="production", SMTP_URL=url, MAIL_FROM="a@exemple.test")

    assert ("SMTP_URL:" in complaint) is is_refused


def test_links_in_mails_are_https_in_production(monkeypatch: pytest.MonkeyPatch):
    complaint = refusal(
        monkeypatch,
        ENVIRONMENT="production",
        PUBLIC_URL="http://traverse.exemple.test",
        DIAGORIENTE_URL="http://diagoriente.exemple.test",
    )

    assert "PUBLIC_URL: an https:// URL" in complaint
    assert "DIAGORIENTE_URL: an https:// URL" in complaint
