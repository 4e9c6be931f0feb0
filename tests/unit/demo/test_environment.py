"""The demo's settings in its folder: private, kept from start to start, never in the way of somebody's own."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from demo.environment import (
    DataDir,
    DemoError,
    DemoPlan,
    SandboxAccess,
    adopt_demo_settings,
    children_environ,
    read_settings,
    write_settings,
)

PLAN = DemoPlan(
    port=8100,
    database_url="postgresql://postgres@/postgres?host=/tmp/a folder",
    redis_url="redis://127.0.0.1:1/0",
    sandbox_access=SandboxAccess(
        client_id="client",
        client_secret="it's a secret",
        api_particulier_token="an invented token",
        sirene_api_key="an invented key",
        data_inclusion_token="an invented token of the directory",
        rdv_email="agent@exemple.test",
        rdv_password="an invented password",
        rdv_webhook_secret="an invented secret of webhooks",
        tally_webhook_secret="an invented secret of forms",
        metabase_secret_key="an invented secret",
    ),
)


def test_what_was_written_is_read_again(tmp_path: Path):
    data_dir = DataDir(tmp_path)

    written = write_settings(data_dir, PLAN)

    assert read_settings(data_dir) == written
    assert written["DATABASE_URL"] == PLAN.database_url
    assert written["FT_CLIENT_SECRET"] == "it's a secret"
    assert written["API_PARTICULIER_TOKEN"] == "an invented token"
    assert written["SIRENE_API_KEY"] == "an invented key"
    assert written["DATA_INCLUSION_TOKEN"] == "an invented token of the directory"
    assert written["DATA_INCLUSION_BASE_URL"] == "http://127.0.0.1:8101/data-inclusion"
    assert written["METABASE_SECRET_KEY"] == "an invented secret"
    assert written["METABASE_SITE_URL"] == "http://127.0.0.1:8101/metabase"
    assert written["RDV_SOLIDARITES_EMAIL"] == "agent@exemple.test"
    assert written["RDV_SOLIDARITES_PASSWORD"] == "an invented password"
    assert written["RDV_SOLIDARITES_API_BASE_URL"] == "http://127.0.0.1:8101/rdv-solidarites/api/v1/"
    assert written["RDV_INSERTION_API_BASE_URL"] == "http://127.0.0.1:8101/rdv-insertion/api/v1/"
    assert written["SIRENE_BASE_URL"] == "http://127.0.0.1:8101/sirene/api-sirene/3.11"
    assert written["API_PARTICULIER_BASE_URL"] == "http://127.0.0.1:8101/api-particulier"
    assert written["FT_BASE_URL"] == "http://127.0.0.1:8101/france-travail"


def test_only_its_owner_may_read_the_file(tmp_path: Path):
    data_dir = DataDir(tmp_path)

    write_settings(data_dir, PLAN)

    assert stat.S_IMODE(data_dir.settings_file.stat().st_mode) == 0o600


def test_the_keys_survive_a_second_start_and_differ_between_folders(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()

    first = write_settings(DataDir(tmp_path / "one"), PLAN)
    second = write_settings(DataDir(tmp_path / "one"), PLAN)
    elsewhere = write_settings(DataDir(tmp_path / "two"), PLAN)

    for key in ("SECRET_KEY", "AUTH_HS256_KEY"):
        assert first[key] == second[key] != elsewhere[key]
        assert len(first[key]) >= 32


def test_a_command_without_settings_takes_those_of_the_demo(tmp_path: Path):
    written = write_settings(DataDir(tmp_path), PLAN)
    environ = {"TRAVERSE_DATA_DIR": f"{tmp_path}", "PORT": "9000"}

    file = adopt_demo_settings(environ)

    assert file == tmp_path / "demo.env"
    assert environ["DATABASE_URL"] == written["DATABASE_URL"]
    assert environ["PORT"] == "9000"


@pytest.mark.parametrize("variable", ["ENVIRONMENT", "DATABASE_URL"])
def test_a_command_with_settings_of_its_own_keeps_them(tmp_path: Path, variable: str):
    write_settings(DataDir(tmp_path), PLAN)
    environ = {"TRAVERSE_DATA_DIR": f"{tmp_path}", variable: "mine"}

    file = adopt_demo_settings(environ)

    assert file is None
    assert environ == {"TRAVERSE_DATA_DIR": f"{tmp_path}", variable: "mine"}


def test_without_a_demo_there_is_nothing_to_take(tmp_path: Path):
    environ = {"TRAVERSE_DATA_DIR": f"{tmp_path}"}

    assert adopt_demo_settings(environ) is None


def test_nothing_of_the_callers_environment_leads_to_a_real_partner(tmp_path: Path):
    mine = {
        "PATH": "/bin",
        "LOG_LEVEL": "DEBUG",
        "FT_BASE_URL": "https://api.example",
        "AUTH_JWKS_URL": "https://identity.example",
        "API_PARTICULIER_TOKEN": "real",
        "SENTRY_DSN": "https://errors.example",
        "DATABASE_URL": "postgresql://production/",
    }
    settings = write_settings(DataDir(tmp_path), PLAN)

    environ = children_environ(mine, settings)

    assert environ["PATH"] == "/bin"
    assert environ["LOG_LEVEL"] == "DEBUG"
    assert environ["FT_BASE_URL"] == settings["FT_BASE_URL"]
    assert environ["DATABASE_URL"] == PLAN.database_url
    assert "AUTH_JWKS_URL" not in environ
    assert environ["API_PARTICULIER_TOKEN"] == settings["API_PARTICULIER_TOKEN"] != "real"
    assert "SENTRY_DSN" not in environ


def test_a_second_demo_on_the_same_folder_is_told_so(tmp_path: Path):
    with DataDir(tmp_path).held(), pytest.raises(DemoError, match="another demo"), DataDir(tmp_path).held():
        pass


def test_a_folder_is_free_again_after_a_demo(tmp_path: Path):
    with DataDir(tmp_path).held():
        pass

    with DataDir(tmp_path).held():
        assert (tmp_path / "demo.lock").exists()
