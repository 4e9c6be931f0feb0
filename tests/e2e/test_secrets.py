"""What a deployment keeps secret is printed by nothing: not by its settings, its doctor, or a start that fails."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping

import pytest
import structlog

from demo.cast.identifiers import make_siret
from settings import Secret, Settings, load_settings, variables_of
from tests.e2e.processes import ROOT

# Each is as long as what it stands for must be, and is found again in whatever is printed.
MARK = "s3cr3tCanary"
LONG = MARK * 4
HEX = "5ec2e7" * 10 + "abcd"
KEY = "czNjcjN0Q2FuYXJ5czNjcjN0Q2FuYXJ5czNjcjN0Q2E="  # MARK in base64, 32 bytes
CANARIES = (MARK, HEX, KEY)
ENVIRON: Mapping[str, str] = {
    "DATABASE_URL": f"postgresql://traverse:{MARK}@127.0.0.1:1/traverse",
    "DATABASE_DIRECT_URL": f"postgresql://traverse:{MARK}@127.0.0.1:1/traverse",
    "REDIS_URL": f"redis://:{MARK}@127.0.0.1:1/0",
    "SECRET_KEY": LONG,
    "ENCRYPTION_KEYS": KEY,
    "FINGERPRINT_KEY": KEY,
    "AUTH_HS256_KEY": LONG,
    "METRICS_TOKEN": LONG,
    "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://traverse:{MARK}@127.0.0.1:1",
    "FT_BASE_URL": "http://127.0.0.1:1",
    "FT_AUTH_BASE_URL_PARTENAIRE": "http://127.0.0.1:1",
    "FT_CLIENT_ID": "client",
    "FT_CLIENT_SECRET": LONG,
    "API_PARTICULIER_BASE_URL": "http://127.0.0.1:1",
    "API_PARTICULIER_TOKEN": LONG,
    "API_PARTICULIER_RECIPIENT": make_siret(90_219_000),
    "SIRENE_API_KEY": LONG,
    "SIRENE_AUTH_URL": "http://127.0.0.1:1",
    "SIRENE_CLIENT_ID": "client",
    "SIRENE_CLIENT_SECRET": LONG,
    "SIRENE_USERNAME": MARK,
    "SIRENE_PASSWORD": LONG,
    "DATA_INCLUSION_BASE_URL": "http://127.0.0.1:1",
    "DATA_INCLUSION_TOKEN": LONG,
    "RDV_SOLIDARITES_API_BASE_URL": "http://127.0.0.1:1",
    "RDV_SOLIDARITES_EMAIL": f"{MARK}@exemple.test",
    "RDV_SOLIDARITES_PASSWORD": LONG,
    "RDV_INSERTION_API_BASE_URL": "http://127.0.0.1:1",
    "METABASE_SITE_URL": "http://127.0.0.1:1",
    "METABASE_SECRET_KEY": HEX,
    "SMTP_URL": f"smtps://traverse:{MARK}@127.0.0.1:1",
    "MAIL_FROM": "ne-pas-repondre@exemple.test",
    "TALLY_WEBHOOK_SECRET": LONG,
    "RDV_INSERTION_WEBHOOK_SECRET": LONG,
}


def environ(**settings: str) -> dict[str, str]:
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**base, **ENVIRON, "COLUMNS": "400", **settings}


def traverse(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=environ(**settings),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_every_secret_setting_has_a_canary_here():
    secrets = {one.name for one in variables_of(Settings).values() if one.is_secret or not one.is_shown}

    assert secrets <= ENVIRON.keys()


def test_settings_print_none_of_their_secrets_however_they_are_printed(settings: Settings):
    printed = {
        "repr": repr(settings),
        "str": str(settings),
        "format": f"{settings!r:>10}",
        "log": structlog.processors.JSONRenderer(default=str)(None, "", {"settings": settings}),
        "vars": repr({name: value for name, value in vars(settings).items() if isinstance(value, Secret)}),
    }

    assert {name: found for name, text in printed.items() if (found := found_in(str(text)))} == {}


def test_what_is_made_of_settings_prints_none_either(settings: Settings):
    assert not found_in(repr(settings.key_ring))
    assert not found_in(str(settings.key_ring))


def test_doctor_names_what_is_wrong_and_no_secret():
    ended = traverse("doctor")

    assert ended.returncode != 0
    assert "127.0.0.1" in ended.stdout
    assert not found_in(ended.stdout + ended.stderr)


def test_a_start_that_fails_says_why_and_no_secret():
    ended = traverse("migrate")

    assert ended.returncode != 0
    assert ended.stdout + ended.stderr
    assert not found_in(ended.stdout + ended.stderr)


def test_a_worker_that_waits_says_for_what_and_no_secret():
    command = [sys.executable, "-m", "cli", "worker"]
    with subprocess.Popen(  # noqa: S603 (our own command)
        command, cwd=ROOT, env=environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as worker:
        assert worker.stdout is not None
        said: list[str] = []
        while "worker_waits_for_database" not in "".join(said[-1:]) and worker.poll() is None:
            said.append(worker.stdout.readline())
        worker.terminate()
        said.append(worker.communicate(timeout=90)[0])

    assert worker.returncode == 0
    assert "DATABASE_URL" in "".join(said)
    assert not found_in("".join(said))


def test_a_server_that_finds_its_port_taken_says_so_and_no_secret():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = traverse("serve", "--port", str(taken.getsockname()[1]))

    assert ended.returncode != 0
    assert "address already in use" in (ended.stdout + ended.stderr).lower()
    assert not found_in(ended.stdout + ended.stderr)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENCRYPTION_KEYS", f"{MARK}!"),
        ("FINGERPRINT_KEY", MARK),
        ("DATABASE_URL", f"mysql://traverse:{MARK}@localhost/x"),
        ("REDIS_URL", f"memcached://:{MARK}@localhost"),
        ("METABASE_SECRET_KEY", MARK),
        ("SMTP_URL", f"gopher://traverse:{MARK}@localhost"),
        ("AUTH_HS256_KEY", MARK),
        ("METRICS_TOKEN", MARK),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"{MARK}"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(name: str, value: str):
    ended = traverse("serve", **{name: value})

    assert ended.returncode != 0
    assert name in ended.stderr + ended.stdout
    assert not found_in(ended.stdout + ended.stderr)
