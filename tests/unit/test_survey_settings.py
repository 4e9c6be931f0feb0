"""The settings of surveys."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from models.enums import SurveyKind
from settings import SettingsError, load_settings
from wiring import survey_plan


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name == "ENVIRONMENT" or name.startswith(("TALLY_", "SMTP_", "MAIL_"))]:
        monkeypatch.delenv(name)


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


def test_without_an_address_of_forms_nothing_is_surveyed():
    assert survey_plan(load_settings()) is None


def test_what_is_surveyed_follows_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TALLY_URL", "https://tally.so")
    monkeypatch.setenv("TALLY_FORM_POST_HIRING_EMPLOYER", "mY59xq")
    monkeypatch.setenv("TALLY_FORM_PRESCRIBER_SATISFACTION", "w2EoDp")
    monkeypatch.setenv("TALLY_POST_HIRING_EMPLOYER_DELAY_DAYS", "0.5")
    monkeypatch.setenv("TALLY_LOOKBACK_DAYS", "3")

    plan = survey_plan(load_settings())

    assert plan is not None
    assert plan.form_ids == {
        SurveyKind.POST_HIRING_EMPLOYER: "mY59xq",
        SurveyKind.PRESCRIBER_SATISFACTION: "w2EoDp",
    }
    assert plan.kinds_by_form["w2EoDp"] is SurveyKind.PRESCRIBER_SATISFACTION
    assert [plan.delay(kind) for kind in SurveyKind] == [timedelta(hours=12), timedelta(days=30), timedelta(days=7)]
    assert (plan.lookback, plan.sends_mails) == (timedelta(days=3), False)


def test_mails_leave_where_there_is_a_relay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TALLY_URL", "https://tally.so")
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:1025")
    monkeypatch.setenv("MAIL_FROM", "ne-pas-repondre@traverse.exemple.test")

    plan = survey_plan(load_settings())

    assert plan is not None
    assert plan.sends_mails


@pytest.mark.parametrize("form", ["../x", "abc", "mY59xq?x=1", "https://tally.so/r/mY59xq"])
def test_what_is_no_form_id_stops_the_start(monkeypatch: pytest.MonkeyPatch, form: str):
    monkeypatch.setenv("TALLY_URL", "https://tally.so")
    monkeypatch.setenv("TALLY_FORM_POST_HIRING_JOB_SEEKER", form)

    with pytest.raises(SettingsError, match=r"^TALLY_FORM_POST_HIRING_JOB_SEEKER: .*4 to 12 letters and digits"):
        load_settings()


def test_a_form_without_an_address_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TALLY_FORM_POST_HIRING_EMPLOYER", "mY59xq")

    with pytest.raises(SettingsError, match="TALLY_URL: missing, although TALLY_FORM_POST_HIRING_EMPLOYER is set"):
        load_settings()


def test_one_form_for_two_kinds_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TALLY_URL", "https://tally.so")
    monkeypatch.setenv("TALLY_FORM_POST_HIRING_EMPLOYER", "mY59xq")
    monkeypatch.setenv("TALLY_FORM_POST_HIRING_JOB_SEEKER", "mY59xq")

    with pytest.raises(SettingsError, match="one form is given twice"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("TALLY_POST_HIRING_EMPLOYER_DELAY_DAYS", "-1"), ("TALLY_LOOKBACK_DAYS", "0"), ("TALLY_LOOKBACK_DAYS", "soon")],
)
def test_a_number_of_days_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"^{name}:"):
        load_settings()
