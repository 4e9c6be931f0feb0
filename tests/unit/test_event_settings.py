"""The settings of what subscriptions follow."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.event_log import HubConfig
from settings import SettingsError, load_settings


def test_the_listener_goes_around_a_pooler_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://traverse:hunter2@pooler:6432/traverse")
    assert load_settings().database_direct_url is None

    monkeypatch.setenv("DATABASE_DIRECT_URL", "postgresql://traverse:hunter2@db:5432/traverse")

    settings = load_settings()
    assert settings.database_direct_url == "postgresql://traverse:hunter2@db:5432/traverse"
    assert "hunter2" not in f"{settings!r} {HubConfig(url=settings.database_direct_url)!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_DIRECT_URL", "mysql://db/traverse"),
        ("SUBSCRIPTION_QUEUE_SIZE", "0"),
        ("EVENT_LOG_RETENTION_DAYS", "0"),
        ("EVENT_LOG_RETENTION_DAYS", "forever"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"^{name}:"):
        load_settings()


def test_a_week_is_kept_when_nothing_is_said():
    assert timedelta(days=load_settings().event_log_retention_days) == timedelta(days=7)
