"""The settings of surveys."""

from __future__ import annotations

import pytest

from settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENVIRONMENT", "TALLY_URL"):
        monkeypatch.delenv(name, raising=False)


def test_surveys_are_off_by_default():
    assert load_settings().tally_url is None


@pytest.mark.parametrize("url", ["tally.so", "https://tally.so?form=1", "ftp://tally.so"])
def test_an_address_that_no_link_can_begin_with_stops_the_start(monkeypatch: pytest.MonkeyPatch, url: str):
    monkeypatch.setenv("TALLY_URL", url)

    with pytest.raises(SettingsError, match=r"^TALLY_URL:"):
        load_settings()


def test_survey_links_are_https_in_production(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("TALLY_URL", "http://tally.exemple.test")

    with pytest.raises(SettingsError, match="TALLY_URL: an https:// URL"):
        load_settings()
