"""The `traverse` commands as processes: what they print, where, and how they end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import jwt
import psutil
import pytest
from graphql import build_schema

from demo.cast.well_known import Persona, company_siret, employer_subject, holder_of
from demo.database import connected
from demo.engines import Engines
from models.database import connection_parameters
from tests.integration.relay import mail_relay
from tests.waiting import until

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parent.parent.parent
KEY = "a-key-of-tests-that-is-long-enough-for-hs256"
_NOWHERE = "postgresql://postgres@127.0.0.1:1/traverse"


def traverse(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with these settings and no others."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=_environ(environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _environ(settings: dict[str, str]) -> dict[str, str]:
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    # A demo on this machine must not lend its settings.
    return {**base, "TRAVERSE_DATA_DIR": "/nonexistent", **settings}


def claims_of(ended: subprocess.CompletedProcess[str]) -> dict[str, object]:
    return jwt.decode(
        ended.stdout.strip(), KEY, algorithms=["HS256"], audience="traverse", issuer="traverse-development"
    )


@pytest.fixture
async def empty_database_url(database_url: str) -> AsyncIterator[str]:
    parameters = connection_parameters(database_url)
    name = f"{parameters['database']}_cli"
    async with connected(database_url) as admin:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield database_url.replace(f"/{parameters['database']}", f"/{name}")
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


# -- token


@pytest.mark.parametrize("persona", [Persona.EMPLOYER, Persona.LABOR_INSPECTOR])
def test_a_token_is_all_that_is_printed_and_says_on_whose_behalf(persona: Persona):
    ended = traverse("token", "--as", persona.value, AUTH_HS256_KEY=KEY)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("\n") == 1
    claims = claims_of(ended)
    assert claims["sub"] == holder_of(persona).subject
    assert UUID(f"{claims['org']}") == holder_of(persona).organization_id
    assert int(f"{claims['exp']}") - int(f"{claims['iat']}") == 3600
    assert claims["nbf"] == claims["iat"]


def test_somebody_who_acts_for_no_organisation_has_none_in_the_token():
    ended = traverse("token", "--as", "staff", AUTH_HS256_KEY=KEY)

    assert "org" not in claims_of(ended)


def test_a_siret_and_a_time_to_live_are_obeyed():
    ended = traverse("token", "--as", "employer", "--org", company_siret(7), "--ttl", "90s", AUTH_HS256_KEY=KEY)

    claims = claims_of(ended)
    assert claims["sub"] == employer_subject(7)
    assert int(f"{claims['exp']}") - int(f"{claims['iat']}") == 90


@pytest.mark.parametrize(
    ("arguments", "environ", "sentence"),
    [
        (("--as", "staff"), {}, "AUTH_HS256_KEY is not set: start `make demo`, or set a key of at least 32 characters"),
        (("--as", "staff", "--ttl", "soon"), {"AUTH_HS256_KEY": KEY}, '--ttl "soon": a whole number'),
        (("--as", "employer", "--org", "123"), {"AUTH_HS256_KEY": KEY}, 'SIRET "123": no company of the demo'),
        (
            ("--as", "staff", "--org", company_siret(7)),
            {"AUTH_HS256_KEY": KEY},
            "--org: a staff acts for none",
        ),
    ],
)
def test_a_token_that_cannot_be_made_is_refused_in_a_sentence(
    arguments: tuple[str, ...], environ: dict[str, str], sentence: str
):
    ended = traverse("token", *arguments, **environ)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1


def test_in_production_no_token_is_made():
    random_key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

    ended = traverse(
        "token",
        "--as",
        "staff",
        ENVIRONMENT="production",
        SECRET_KEY="x" * 40,
        ENCRYPTION_KEYS=random_key,
        FINGERPRINT_KEY=random_key,
        AUTH_JWKS_URL="https://identity.example.test/keys",
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "ENVIRONMENT is production: tokens come from the identity provider there\n"


# -- settings and machines that are away


@pytest.mark.parametrize("command", [("serve",), ("worker",), ("migrate",), ("seed",), ("token", "--as", "staff")])
def test_wrong_settings_are_named_one_sentence_each(command: tuple[str, ...]):
    ended = traverse(*command, DATABASE_URL="mysql://localhost/x", PORT="99999")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "DATABASE_URL: a postgresql:// URL is expected" in ended.stderr.splitlines()
    assert len([line for line in ended.stderr.splitlines() if line.startswith("PORT: ")]) == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["migrate", "seed"])
def test_a_database_that_is_away_is_said_without_a_traceback(command: str):
    ended = traverse(command, DATABASE_URL=_NOWHERE)

    assert ended.returncode == 1
    assert "traverse doctor" in ended.stderr
    assert ended.stderr.count("\n") == 1


# -- migrate, seed, schema


def test_a_database_is_migrated_once_filled_once_and_taken_back(empty_database_url: str):
    first = traverse("migrate", DATABASE_URL=empty_database_url)
    second = traverse("migrate", DATABASE_URL=empty_database_url)
    filled = traverse("seed", DATABASE_URL=empty_database_url)
    filled_again = traverse("seed", DATABASE_URL=empty_database_url)
    back = traverse("migrate", "--target", "__first__", DATABASE_URL=empty_database_url)

    assert first.stdout.splitlines()[0] == "0001_tables"
    assert second.stdout == "Nothing to do: the database is up to date.\n"
    assert filled.stdout.startswith("Loaded 6")
    assert filled_again.returncode == 1
    assert filled_again.stderr.startswith("the database of DATABASE_URL is not empty")
    assert back.stdout.splitlines() == first.stdout.splitlines()[::-1]


def test_the_migrations_say_what_the_models_say_even_without_a_database():
    ended = traverse("migrate", "--check", DATABASE_URL=_NOWHERE)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_printed_schema_can_be_read_again():
    ended = traverse("schema")

    schema = build_schema(ended.stdout)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert schema.query_type is not None
    assert "viewer" in schema.query_type.fields


def test_with_a_key_there_is_no_password_to_renew():
    ended = traverse("sirene", "renew-password", DATABASE_URL=_NOWHERE, SIRENE_API_KEY="an-invented-key")

    assert ended.returncode == 1
    assert "there is no password to renew" in ended.stderr
    assert "Traceback" not in ended.stderr


# -- doctor


def test_the_doctor_finds_everything_in_order(migrated_database_url: str, engines: Engines):
    with _listener() as address:
        ended = traverse(
            "doctor",
            DATABASE_URL=migrated_database_url,
            REDIS_URL=engines.redis_url,
            FT_BASE_URL=f"http://{address}/france-travail",
            FT_AUTH_BASE_URL_PARTENAIRE=f"http://{address}/france-travail",
            FT_CLIENT_ID="x",
            FT_CLIENT_SECRET="y",
        )

    assert ended.returncode == 0, ended.stdout
    assert "wrong" not in ended.stdout
    assert ended.stdout.count(" ok ") == 5
    assert "not set up" in ended.stdout


def test_the_doctor_says_what_is_away_and_what_to_do():
    ended = traverse(
        "doctor",
        DATABASE_URL=_NOWHERE,
        REDIS_URL="redis://127.0.0.1:1/0",
        FT_BASE_URL="http://127.0.0.1:1/",
        FT_AUTH_BASE_URL_PARTENAIRE="http://127.0.0.1:1/",
        FT_CLIENT_ID="x",
        FT_CLIENT_SECRET="y",
    )

    assert ended.returncode == 1
    assert ended.stdout.count(" wrong ") == 4
    for advice in ("correct DATABASE_URL", "correct REDIS_URL", "see PostgreSQL", "the network and the firewall"):
        assert advice in ended.stdout
    assert "Traceback" not in ended.stderr


async def test_the_doctor_opens_a_session_with_the_mail_relay_and_counts_the_secrets_of_webhooks():
    rdv = {
        "RDV_INSERTION_API_BASE_URL": "http://127.0.0.1:1/api/v1",
        "RDV_SOLIDARITES_API_BASE_URL": "http://127.0.0.1:1/api/v1",
        "RDV_SOLIDARITES_EMAIL": "agent@exemple.test",
        "RDV_SOLIDARITES_PASSWORD": "fictif",
    }
    async with mail_relay() as relay:
        port = relay.config.port
        mails = {"MAIL_FROM": "envoi@exemple.test", "PUBLIC_URL": "http://127.0.0.1:1", "DATABASE_URL": _NOWHERE}
        plain, encrypted, signed_in = [
            await asyncio.to_thread(traverse, "doctor", **mails, **rdv, SMTP_URL=url, TALLY_WEBHOOK_SECRET="un secret")
            for url in (
                f"smtp://127.0.0.1:{port}",
                f"smtp+starttls://127.0.0.1:{port}",
                f"smtp://envoi:mot-de-passe@127.0.0.1:{port}",
            )
        ]

    assert "takes a session as a mail would open it" in plain.stdout
    assert "signatures can be verified" in plain.stdout
    assert "set RDV_INSERTION_WEBHOOK_SECRET" in plain.stdout
    for refused in (encrypted, signed_in):
        assert "correct SMTP_URL" in refused.stdout
        assert "mot-de-passe" not in refused.stdout + refused.stderr


def test_the_doctor_says_that_nobody_takes_mails():
    mails = {"MAIL_FROM": "envoi@exemple.test", "SMTP_URL": "smtp://127.0.0.1:9"}

    ended = traverse("doctor", DATABASE_URL=_NOWHERE, **mails)

    assert ended.returncode == 1
    assert "check SMTP_URL" in ended.stdout


def test_the_doctor_sends_an_empty_database_to_the_migrations(empty_database_url: str, engines: Engines):
    ended = traverse("doctor", DATABASE_URL=empty_database_url, REDIS_URL=engines.redis_url)

    assert ended.returncode == 1
    assert "run `traverse migrate`" in ended.stdout


def test_the_doctor_shows_wrong_settings_as_findings():
    ended = traverse("doctor", DATABASE_URL="mysql://localhost/x", AUTH_HS256_KEY="short")

    assert ended.returncode == 1
    assert "DATABASE_URL: a postgresql:// URL is expected" in ended.stdout
    assert "docs/reference/settings.md" in ended.stdout


# -- serve


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_api_serves_and_ends_when_told(
    migrated_database_url: str, engines: Engines, tmp_path: Path, workers: str
):
    port = _free_port()
    environ = {"DATABASE_URL": migrated_database_url, "REDIS_URL": engines.redis_url, "PORT": f"{port}"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603, ASYNC220
            [sys.executable, "-m", "cli", "serve", "--workers", workers],
            cwd=ROOT,
            env=_environ(environ),
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

            async def is_up() -> bool:
                try:
                    return (await http.get("/healthz")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_up, within_seconds=30)
            answer = await http.get("/healthz", headers={"Connection": "close"})
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(20)
    finally:
        process.kill()
        process.wait()

    assert "server" not in answer.headers
    assert exit_code in (0, -signal.SIGTERM)
    # The last of them, Python's own keeper of shared things, ends when it sees that the others have.
    assert psutil.wait_procs(children, timeout=20)[1] == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _listener() -> Generator[str]:
    """Somebody who takes connections, as far as the kernel is concerned."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"
