"""The demo's settings in its data folder: they survive a restart, and the other commands find them there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
from collections.abc import Generator, Mapping, MutableMapping
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from demo.cast.identifiers import make_siret

_DATA_DIR_VARIABLE = "TRAVERSE_DATA_DIR"
_KEY_BYTES = 32
_RECIPIENT = make_siret(90_219_000)  # an invented public body
# What the pages of a front end ask, as an example.
_OPERATIONS = Path(__file__).parents[1] / "examples" / "spa" / "operations.json"
# Without one of these a command knows neither where it is nor what it may touch.
_SETTLED_BY = ("ENVIRONMENT", "DATABASE_URL")
# Kept from one start to the next: tokens stay valid, and sealed NIRs can be opened.
_KEPT = ("SECRET_KEY", "AUTH_HS256_KEY")
# Of the caller's own environment, nothing may lead the demo to a real partner or identity provider.
_FOREIGN = (
    *("AUTH_", "FT_", "API_PARTICULIER_", "BAN_", "API_GEO_", "SIRENE_", "DATA_INCLUSION_", "RDV_SOLIDARITES_"),
    *("RDV_INSERTION_", "DIAGORIENTE_", "TALLY_", "METABASE_", "SMTP_", "SENTRY_", "OTEL_", "ENCRYPTION_"),
    *("FINGERPRINT_", "MAIL_", "PUBLIC_"),
)  # fmt: skip


_HEADER = """# Settings of the demo in this folder, written at each start. For a shell: set -a; . ./demo.env; set +a
# `traverse` commands read them where neither ENVIRONMENT nor DATABASE_URL is set."""


class DemoError(Exception):
    """The demo cannot go on. `str()` is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class DataDir:
    """The folder that holds everything of one demo: engines' data, settings, logs."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> DataDir:
        return cls(Path(environ.get(_DATA_DIR_VARIABLE) or ".traverse"))

    @property
    def settings_file(self) -> Path:
        return self.path / "demo.env"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Keep other demos out for the block. Raises DemoError when one is at work here."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "demo.lock").open("w") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                raise DemoError(
                    f"{self.path}: another demo is running on this folder; end it, or set {_DATA_DIR_VARIABLE} to a"
                    " folder of its own"
                ) from None
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAccess:
    """Credentials that the simulated partners accept: the first two, France Travail."""

    client_id: str
    client_secret: str
    api_particulier_token: str
    sirene_api_key: str
    data_inclusion_token: str
    rdv_webhook_secret: str = field(repr=False)
    tally_webhook_secret: str = field(repr=False)
    rdv_email: str
    rdv_password: str
    metabase_secret_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """Where the parts of a demo listen. The sandbox takes the port after the API's."""

    port: int
    database_url: str
    redis_url: str
    sandbox_access: SandboxAccess

    @property
    def sandbox_port(self) -> int:
        return self.port + 1

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"


def write_settings(data_dir: DataDir, plan: DemoPlan) -> dict[str, str]:
    """Write the demo's settings, with the keys of the last start if there are any, and return them."""
    before = read_settings(data_dir)
    kept = {name: before.get(name) or secrets.token_urlsafe(_KEY_BYTES) for name in _KEPT}
    values = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": plan.database_url,
        "REDIS_URL": plan.redis_url,
        "HOST": "127.0.0.1",
        "PORT": str(plan.port),
        "FT_BASE_URL": f"{plan.sandbox_url}/france-travail",
        "FT_AUTH_BASE_URL_PARTENAIRE": f"{plan.sandbox_url}/france-travail",
        "FT_CLIENT_ID": plan.sandbox_access.client_id,
        "FT_CLIENT_SECRET": plan.sandbox_access.client_secret,
        # Below the ten a second that the sandbox bears; the real one is asked once a second.
        "FT_MAX_RPS": "8",
        "API_PARTICULIER_BASE_URL": f"{plan.sandbox_url}/api-particulier",
        "API_PARTICULIER_TOKEN": plan.sandbox_access.api_particulier_token,
        "API_PARTICULIER_RECIPIENT": _RECIPIENT,
        "BAN_BASE_URL": f"{plan.sandbox_url}/ban",
        "API_GEO_BASE_URL": f"{plan.sandbox_url}/geo",
        "SIRENE_BASE_URL": f"{plan.sandbox_url}/sirene/api-sirene/3.11",
        "SIRENE_API_KEY": plan.sandbox_access.sirene_api_key,
        "DATA_INCLUSION_BASE_URL": f"{plan.sandbox_url}/data-inclusion",
        "DATA_INCLUSION_TOKEN": plan.sandbox_access.data_inclusion_token,
        "RDV_SOLIDARITES_API_BASE_URL": f"{plan.sandbox_url}/rdv-solidarites/api/v1/",
        "RDV_SOLIDARITES_EMAIL": plan.sandbox_access.rdv_email,
        "RDV_SOLIDARITES_PASSWORD": plan.sandbox_access.rdv_password,
        "RDV_INSERTION_API_BASE_URL": f"{plan.sandbox_url}/rdv-insertion/api/v1/",
        "METABASE_SITE_URL": f"{plan.sandbox_url}/metabase",
        "METABASE_SECRET_KEY": plan.sandbox_access.metabase_secret_key,
        # The sandbox takes mails on the port after its own.
        "SMTP_URL": f"smtp://127.0.0.1:{plan.sandbox_port + 1}",
        "MAIL_FROM": "Traverse <ne-pas-repondre@traverse.exemple.test>",
        "PUBLIC_URL": plan.api_url,
        "GRAPHQL_TRUSTED_DOCUMENTS": str(_OPERATIONS),
        "TALLY_URL": f"{plan.sandbox_url}/tally",
        "TALLY_WEBHOOK_SECRET": plan.sandbox_access.tally_webhook_secret,
        "RDV_INSERTION_WEBHOOK_SECRET": plan.sandbox_access.rdv_webhook_secret,
        "TALLY_FORM_POST_HIRING_EMPLOYER": "mY59xq",
        "TALLY_FORM_POST_HIRING_JOB_SEEKER": "sBx1jS",
        "TALLY_FORM_PRESCRIBER_SATISFACTION": "w2EoDp",
        # Nobody waits for days in a demo: who is hired there is asked within a minute.
        "TALLY_POST_HIRING_EMPLOYER_DELAY_DAYS": "0",
        "TALLY_POST_HIRING_JOB_SEEKER_DELAY_DAYS": "0",
        "TALLY_PRESCRIBER_SATISFACTION_DELAY_DAYS": "0",
        "TALLY_LOOKBACK_DAYS": "2",
        "NOTIFICATION_INTERVAL": "2",
        # A demo is shown at any hour.
        "NOTIFICATION_LAST_HOUR": "23",
        **kept,
    }
    lines = [_HEADER, *(f"{name}={shlex.quote(value)}" for name, value in values.items())]
    _write_private(data_dir.settings_file, "\n".join(lines) + "\n")
    return values


def read_settings(data_dir: DataDir) -> dict[str, str]:
    """Return what the last demo wrote; nothing when there was none."""
    try:
        lines = data_dir.settings_file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line, comments=True) if "=" in word)


def children_environ(environ: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the demo's own processes: the caller's, without what leads to real partners."""
    return {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)} | dict(settings)


def adopt_demo_settings(environ: MutableMapping[str, str]) -> Path | None:
    """Put the demo's settings into an environment that names none, and return their file; None: nothing was done."""
    if any(environ.get(name) for name in _SETTLED_BY):
        return None
    data_dir = DataDir.of(environ)
    settings = read_settings(data_dir)
    for name, value in settings.items():
        environ.setdefault(name, value)
    return data_dir.settings_file if settings else None


def _write_private(path: Path, text: str) -> None:
    """Readable by its owner only, from its first byte on; replaced in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
