"""Who may read figures is settled at the start."""

from __future__ import annotations

import pytest

from settings import Secret, Settings, SettingsError, load_settings, variables_of


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables_of(Settings):
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_short_token_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("METRICS_TOKEN", "short")

    with pytest.raises(SettingsError, match="METRICS_TOKEN: at least 16 characters"):
        load_settings()


def test_a_worker_that_other_machines_ask_needs_a_token(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("METRICS_WORKER_HOST", "0.0.0.0")  # noqa: S104 (a setting under test)

    with pytest.raises(SettingsError, match="METRICS_TOKEN: required with a METRICS_WORKER_HOST"):
        load_settings()

    monkeypatch.setenv("METRICS_TOKEN", "a-token-of-tests-only")
    assert load_settings().metrics_token == Secret("a-token-of-tests-only")
