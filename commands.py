"""The `traverse` commands. What they do lies elsewhere; each imports what it needs, so that small ones are quick."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar
from uuid import UUID

import typer

from demo.cast.well_known import Persona
from models.enums import PartnerScope
from serve_command import MOST_PORT, MOST_WORKERS, ServeOptions, adopt_and_tell, settings_of_here
from serve_command import serve as run_server
from settings import Settings, SettingsError, load_settings, variables_of

if TYPE_CHECKING:
    from rich.console import Console

    from models.database import DatabaseConfig
    from models.enums import Partner
    from ops.doctor import Finding

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Traverse: the integrations server of an inclusion-employment platform.",
)

partner_app = typer.Typer(no_args_is_help=True, help="Machine clients of partners: what they may see, their secrets.")
app.add_typer(partner_app, name="partner")

person_app = typer.Typer(no_args_is_help=True, help="A person's data: a copy of all of it, and its end.")
app.add_typer(person_app, name="person")

operations_app = typer.Typer(no_args_is_help=True, help="Trusted documents: a front end's operations, by their hash.")
app.add_typer(operations_app, name="operations")

communes_app = typer.Typer(no_args_is_help=True, help="The local table of the communes of France.")
app.add_typer(communes_app, name="communes")

sirene_app = typer.Typer(no_args_is_help=True, help="The account at INSEE's Sirene.")
app.add_typer(sirene_app, name="sirene")

_SCHEMA_FILE = Path(__file__).with_name("schema.graphql")
_LOG_WIDTH = 140
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(min=1, max=65_534, help="port of the API; the sandbox takes the next one")
    ] = 8000,
    reset: Annotated[bool, typer.Option("--reset", help="forget the data of earlier demos")] = False,
    play: Annotated[bool, typer.Option(help="show the main job once")] = True,
    leave: Annotated[bool, typer.Option("--exit", help="end after the play, with 1 if it did not go well")] = False,
) -> None:
    """Start everything with invented data, play the main job, and stay up until Ctrl-C."""
    from demo.cast.world import SimulatedWorld
    from demo.environment import DataDir, SandboxAccess
    from demo.run import DemoOptions, DemoParts, run_demo
    from sandbox.api_particulier import settings as api_particulier
    from sandbox.cast import PEOPLE
    from sandbox.data_inclusion import settings as data_inclusion
    from sandbox.france_travail.identifiers import id_national_of
    from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET
    from sandbox.metabase import settings as metabase
    from sandbox.rdv import settings as rdv
    from sandbox.rdv.settings import WEBHOOK_SECRET as RDV_WEBHOOK_SECRET
    from sandbox.sirene import settings as sirene
    from sandbox.tally.partner import WEBHOOK_SECRET as TALLY_WEBHOOK_SECRET

    parts = DemoParts(
        world=SimulatedWorld(id_national_of=id_national_of, people=PEOPLE),
        sandbox_access=SandboxAccess(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            api_particulier_token=api_particulier.TOKEN,
            sirene_api_key=sirene.API_KEY,
            data_inclusion_token=data_inclusion.TOKEN,
            rdv_webhook_secret=RDV_WEBHOOK_SECRET,
            tally_webhook_secret=TALLY_WEBHOOK_SECRET,
            rdv_email=rdv.AGENT_EMAIL,
            rdv_password=rdv.AGENT_PASSWORD,
            metabase_secret_key=metabase.SECRET_KEY,
        ),
        configure=_configure,
        make_token=lambda persona: _make_token(load_settings(), persona, None, timedelta(hours=1)),
    )
    options = DemoOptions(port=port, data_dir=DataDir.of(os.environ), reset=reset, plays=play, leaves=leave)
    raise typer.Exit(run_demo(options, parts, dict(os.environ), _console()))


@app.command()
def serve(
    workers: Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="processes")] = 1,
    host: Annotated[str | None, typer.Option(help="address to listen on; HOST by default")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=MOST_PORT, help="port to listen on; PORT by default")] = None,
) -> None:
    """Serve the API."""
    run_server(ServeOptions(workers=workers, host=host, port=port))


@app.command()
def worker() -> None:
    """Run the background worker: notifications, certifications, sweeps."""
    settings = settings_of_here()
    from jobs.worker import run_worker

    run_worker(settings)


@app.command()
def migrate(
    target: Annotated[str, typer.Option(help="a migration to stop at, or to go back to; __first__ undoes all")] = "",
    check: Annotated[bool, typer.Option("--check", help="compare migrations with models; 1 if they differ")] = False,
    make: Annotated[str, typer.Option(metavar="NAME", help="write the next migration from the models")] = "",
) -> None:
    """Bring the database to the schema of this version."""
    settings = settings_of_here()
    config = _database_config(settings)
    if settings.database_direct_url is not None:
        # Migrations hold a lock of their session, which a pooler of transactions would hand to somebody else.
        config = replace(config, url=settings.database_direct_url)
    from models import migrate as migrations

    if check:
        changes = asyncio.run(migrations.unwritten_changes(config))
        for change in changes:
            for operation in change.operations:
                print(f"not in any migration: {operation.describe()}")
        if changes:
            _fail("the models say what no migration does; run `traverse migrate --make NAME`")
        print("The migrations say what the models say.")
    elif make:
        written = asyncio.run(migrations.write_migration(config, make))
        print("\n".join(f"{path}" for path in written) or "Nothing to write: the migrations say what the models say.")
    else:
        ran = asyncio.run(migrations.migrate(config, target=target or "__latest__"))
        print("\n".join(ran) or "Nothing to do: the database is up to date.")


@app.command()
def reseal() -> None:
    """After a rotation of ENCRYPTION_KEYS: seal with the first key what an older one still holds."""
    config = _database_config(settings_of_here())
    from models.encryption import EncryptionError

    try:
        resealed, remaining = asyncio.run(_reseal(config))
    except EncryptionError as error:
        _fail(f"{error}")
    print(f"Sealed {resealed:,} values again; {remaining:,} still need an older key.")


@app.command()
def geocode(
    missing: Annotated[bool, typer.Option("--missing", help="also every address that has no coordinates")] = False,
) -> None:
    """Geocode the addresses that changed, by files; the worker does so too, a minute later."""
    settings = settings_of_here()
    if settings.ban_base_url is None:
        _fail("BAN_BASE_URL is not set: the Base Adresse Nationale is off; set it to https://data.geopf.fr")
    if not asyncio.run(_geocode(settings, with_missing=missing)):
        raise typer.Exit(1)


@communes_app.command("sync")
def synchronise_communes() -> None:
    """Make the table say what API Géo says today; workers do so once a day."""
    settings = settings_of_here()
    if settings.api_geo_base_url is None:
        _fail("API_GEO_BASE_URL is not set: API Géo is off; set it to https://geo.api.gouv.fr")
    if not asyncio.run(_synchronise_communes(settings)):
        raise typer.Exit(1)


@sirene_app.command("renew-password")
def renew_sirene_password() -> None:
    """Replace the password of INSEE's account, which ends ninety days after its last change. Asks for the new one."""
    from clients.sirene import PasswordGrant
    from wiring import sirene_config

    settings = settings_of_here()
    config = sirene_config(settings)
    if config is None or not isinstance(config.credentials, PasswordGrant):
        _fail("Sirene is not used with an account (SIRENE_USERNAME and the others): there is no password to renew")
    # No option: other users of a machine can read command lines, and shells remember them.
    new_password: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    if not asyncio.run(_renew_sirene_password(settings, new_password)):
        raise typer.Exit(1)


@app.command()
def seed() -> None:
    """Load the demo's invented data into the migrated, empty database of DATABASE_URL."""
    settings = settings_of_here()
    if settings.is_production:
        _fail("ENVIRONMENT is production: invented data has no place there")
    from demo.cast.building import build_cast
    from demo.cast.world import SimulatedWorld
    from demo.load import DatabaseContent, content_of, load_cast
    from sandbox.cast import PEOPLE
    from sandbox.france_travail.identifiers import id_national_of

    config = _database_config(settings)
    if asyncio.run(content_of(config.url)) is not DatabaseContent.EMPTY:
        _fail("the database of DATABASE_URL is not empty; `traverse seed` loads into an empty, migrated one")
    cast = build_cast(datetime.now(UTC), SimulatedWorld(id_national_of, PEOPLE))
    print(f"Loaded {asyncio.run(load_cast(config, cast)):,} invented rows.")


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="port on 127.0.0.1")] = 8001,
) -> None:
    """Simulate the partners on this machine."""
    from sandbox.server import run

    run("127.0.0.1", port)


@app.command()
def schema(
    check: Annotated[bool, typer.Option("--check", help="compare with schema.graphql; 1 if it differs")] = False,
    write: Annotated[bool, typer.Option("--write", help="write schema.graphql")] = False,
) -> None:
    """Print the GraphQL schema."""
    from schema.build import print_sdl

    printed = print_sdl()
    if write:
        _SCHEMA_FILE.write_text(printed)
    elif check:
        if not _SCHEMA_FILE.exists() or _SCHEMA_FILE.read_text() != printed:
            _fail("schema.graphql differs from the code; run `traverse schema --write` and look at the difference")
        print("schema.graphql says what the code says.")
    else:
        print(printed, end="")


@app.command()
def doctor() -> None:
    """Check settings, PostgreSQL, Valkey, migrations and partners, and say what to do."""
    from models.enums import Partner
    from ops.doctor import Finding, Health, examine
    from worker_wiring import mail_client

    adopt_and_tell()
    try:
        settings = load_settings()
    except SettingsError as error:
        advice = "set it in the environment, as docs/reference/settings.md says"
        _show([Finding("Settings", Health.BAD, sentence, advice) for sentence in f"{error}".splitlines()])
        raise typer.Exit(1) from None
    findings = [Finding("Settings", Health.GOOD, f"{settings.environment} environment")]
    findings += asyncio.run(
        examine(
            database=_database_config(settings),
            valkey_info=lambda: _valkey_info(settings),
            partners=_partner_addresses(settings),
            relay=mail_client(settings),
            webhook_secrets={
                Partner.RDV_INSERTION: bool(settings.rdv_insertion_webhook_secret),
                Partner.TALLY: bool(settings.tally_webhook_secret),
            },
        )
    )
    _show(findings)
    raise typer.Exit(int(any(finding.health is Health.BAD for finding in findings)))


@app.command()
def token(
    persona: Annotated[Persona, typer.Option("--as", help="for whom", show_default=False)],
    org: Annotated[str | None, typer.Option(metavar="SIRET", help="another organisation than usual")] = None,
    ttl: Annotated[str, typer.Option(help="how long it is valid: 90s, 30m, 1h, 7d")] = "1h",
) -> None:
    """Print a token of a demo user, and nothing else."""
    settings = settings_of_here()
    print(_make_token(settings, persona, org, _duration("--ttl", ttl)))


@partner_app.command("create")
def create_partner(
    name: Annotated[str, typer.Argument(help="whose machine it is, for people to read")],
    company: Annotated[list[str], typer.Option(metavar="SIRET", help="a company it may see; once for each")],
    scope: Annotated[list[PartnerScope], typer.Option(help="what it may read; once for each")],
) -> None:
    """Enter a machine client and print its id and its secret, once."""
    from ops.partners import words_of
    from services.partners import register

    sirets = ["".join(siret.split()) for siret in company]
    print(words_of(_with_partners(lambda now: register(name, scopes=scope, sirets=sirets, now=now))))


@partner_app.command("rotate")
def rotate_partner(
    client_id: Annotated[str, typer.Argument(help="as `traverse partner list` shows it")],
    keep: Annotated[str, typer.Option(help="how long the secrets before it stay valid: 30m, 12h, 7d")] = "1d",
) -> None:
    """Give a machine client another secret; those before it end a little later."""
    from ops.partners import words_of
    from services.partners import replace_secret

    kept = _duration("--keep", keep)
    print(words_of(_with_partners(lambda now: replace_secret(client_id, keep_others_for=kept, now=now))))


@partner_app.command("revoke")
def revoke_partner(client_id: Annotated[str, typer.Argument(help="as `traverse partner list` shows it")]) -> None:
    """End a machine client and its tokens, at once and for good."""
    from services.partners import revoke

    if not _with_partners(lambda now: revoke(client_id, now=now)):
        _fail(f'client "{client_id}": there is none that is not revoked already; see `traverse partner list`')
    print(f"Revoked {client_id}: its tokens are refused from now on.")


@partner_app.command("list")
def list_partners() -> None:
    """Show the machine clients, revoked ones included."""
    from ops.partners import table_of
    from services.partners import list_partners

    _console().print(table_of(_with_partners(lambda now: list_partners(now=now))))


_Person = Annotated[str, typer.Argument(help="a UUID, or the id of a JobSeeker or User in the API")]
_By = Annotated[UUID, typer.Option(help="UUID of the staff account that does it: the access log names it")]


@person_app.command("export")
def export_person(
    person: _Person,
    by: _By,
    out: Annotated[Path, typer.Option(help="a new file; only its owner will be able to read it")],
) -> None:
    """Write everything that is held about a person to a file of JSON."""
    from ops.people import person_of, write_copy

    rows = _with_person(lambda now: write_copy(person_of(person), out, by=by, now=now))
    print(f"Wrote {rows:,} rows to {out}: give it to the person over a safe way, and delete it.")


@person_app.command("erase")
def erase_person(
    person: _Person,
    by: _By,
    without_announcing: Annotated[
        bool, typer.Option("--without-announcing", help="although France Travail has still to hear of a cancellation")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Erase a person for good; approvals that the law has us keep stay without a name."""
    from ops.people import erase, person_of

    if not yes:
        typer.confirm(f"Erase {person} for good? Export first if a copy was asked for.", abort=True)
    print(_with_person(lambda now: erase(person_of(person), by=by, without_announcing=without_announcing, now=now)))


_Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="where the `.graphql` files lie")]
_Manifest = Annotated[Path, typer.Option(help="GRAPHQL_TRUSTED_DOCUMENTS names it")]


@operations_app.command("build")
def build_operations(
    folder: _Folder,
    manifest: _Manifest,
    forget_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="drop what was retired before this day")
    ] = None,
) -> None:
    """Write the manifest of a front end's operations, keeping those that it had before."""
    from execution.trusted.folder import FolderError
    from execution.trusted.manifest import ManifestError
    from ops.documents import build_manifest

    day = forget_before.date() if forget_before is not None else None
    try:
        built = build_manifest(folder, manifest, today=datetime.now(UTC).date(), forget_before=day)
    except (FolderError, ManifestError) as error:
        _fail(f"{error}")
    print("\n".join(built.sentences(manifest)))


@operations_app.command("check")
def check_operations(
    folder: _Folder,
    manifest: _Manifest,
    deployed: Annotated[
        Path | None, typer.Option(help="the manifest in production: whatever is gone from it is a problem")
    ] = None,
) -> None:
    """Compare a manifest with its folder, and with the schema and limits of this server; 1 if something is wrong."""
    from execution.engine import GraphQLEngine
    from execution.limits import Limits
    from execution.trusted.folder import FolderError
    from execution.trusted.manifest import ManifestError
    from ops.documents import check_manifest
    from schema.build import build_schema

    settings = load_settings()
    limits = Limits(depth=settings.graphql_max_depth, cost=settings.graphql_max_cost)
    try:
        checked = check_manifest(folder, manifest, GraphQLEngine(build_schema(), limits), limits, deployed=deployed)
    except (FolderError, ManifestError) as error:
        _fail(f"{error}")
    _console().print(checked.table())
    if checked.problems:
        _fail("\n".join(checked.problems))


def _configure(environ: Mapping[str, str]) -> DatabaseConfig:
    """Let the process stand in that environment from now on, and read its settings."""
    os.environ.clear()
    os.environ.update(environ)
    return _database_config(load_settings())


def _database_config(settings: Settings) -> DatabaseConfig:
    from wiring import database_config

    return database_config(settings, application_name="traverse-cli")


def _make_token(settings: Settings, persona: Persona, siret: str | None, lifetime: timedelta) -> str:
    from demo.cast.well_known import holder_in, holder_of
    from services.tokens import issue_development_token

    if settings.is_production:
        _fail("ENVIRONMENT is production: tokens come from the identity provider there")
    if settings.auth_hs256_key is None:
        _fail("AUTH_HS256_KEY is not set: start `make demo`, or set a key of at least 32 characters")
    try:
        holder = holder_of(persona) if siret is None else holder_in(persona, siret)
    except ValueError as error:
        _fail(f"{error}")
    return issue_development_token(
        subject=holder.subject,
        organization_id=holder.organization_id,
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        key=settings.auth_hs256_key.reveal(),
        lifetime=lifetime,
        now=datetime.now(UTC),
    )


def _duration(option: str, text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        _fail(f'{option} "{text}": a whole number and one of s, m, h, d expected, as in 30m')
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _with_partners(act: Callable[[datetime], Awaitable[T]]) -> T:
    """Do one thing about machine clients in the database of the settings."""
    from services.partners import PartnerRefused

    try:
        return _with_database(act)
    except PartnerRefused as refused:
        _fail(f"{refused}")


def _with_person(act: Callable[[datetime], Awaitable[T]]) -> T:
    """Do one thing about a person in the database of the settings."""
    from ops.people import PersonRefused

    try:
        return _with_database(act)
    except PersonRefused as refused:
        _fail(f"{refused}")


def _with_database(act: Callable[[datetime], Awaitable[T]]) -> T:
    from logs import configure_logging
    from models.database import close_database, open_database

    settings = settings_of_here()
    # To stderr: what these commands print is for a script as well.
    configure_logging(level=settings.log_level, as_json=settings.is_production)
    config = _database_config(settings)

    async def within() -> T:
        await open_database(config)
        try:
            return await act(datetime.now(UTC))
        finally:
            await close_database()

    return asyncio.run(within())


async def _reseal(config: DatabaseConfig) -> tuple[int, int]:
    """Return how many values were sealed again, and how many an older key still holds."""
    from models.database import close_database, open_database
    from models.resealing import count_sealed_with_old_keys, reseal

    await open_database(config)
    try:
        return await reseal(), sum((await count_sealed_with_old_keys()).values())
    finally:
        await close_database()


async def _geocode(settings: Settings, *, with_missing: bool) -> bool:
    """Return False when the geocoder went away."""
    from contextlib import AsyncExitStack

    from models.database import close_database, open_database
    from ops.geocoding import geocode_with_progress
    from wiring import ban_client

    async with AsyncExitStack() as stack:
        await open_database(_database_config(settings))
        stack.push_async_callback(close_database)
        client = await ban_client(settings, stack)
        return client is None or await geocode_with_progress(client, _console(), with_missing=with_missing)


async def _synchronise_communes(settings: Settings) -> bool:
    """Return False when nothing was brought up to date."""
    from contextlib import AsyncExitStack

    from models.database import close_database, open_database
    from ops.communes import synchronise_with_words
    from wiring import api_geo_client

    async with AsyncExitStack() as stack:
        await open_database(_database_config(settings))
        stack.push_async_callback(close_database)
        client = await api_geo_client(settings, stack)
        return client is None or await synchronise_with_words(client, _console())


async def _renew_sirene_password(settings: Settings, new_password: str) -> bool:
    """Return False when it was not renewed, or nobody knows."""
    from contextlib import AsyncExitStack

    from jobs.valkey import connect
    from models.database import close_database, open_database
    from ops.sirene import renew_with_words
    from wiring import sirene_client

    async with AsyncExitStack() as stack:
        await open_database(_database_config(settings))
        stack.push_async_callback(close_database)
        valkey = await stack.enter_async_context(connect(settings.redis_url))
        client = await sirene_client(settings, valkey, stack)
        return client is not None and await renew_with_words(client, new_password, _console())


async def _valkey_info(settings: Settings) -> Mapping[str, object]:
    """Raises OSError when Valkey does not answer."""
    from redis.exceptions import RedisError

    from jobs.valkey import connect

    try:
        async with connect(settings.redis_url) as client:
            return await client.info()
    except RedisError as error:
        raise ConnectionError(type(error).__name__) from None


def _partner_addresses(settings: Settings) -> dict[Partner, list[str]]:
    """Return the addresses of every partner, by the names of its settings; none for one that is off."""
    from clients.sirene import PasswordGrant
    from models.enums import Partner
    from wiring import sirene_config

    prefixes = {Partner.FRANCE_TRAVAIL: "ft"}
    addresses = {
        partner: [
            value
            for name in variables_of(Settings)
            if name.startswith(f"{prefixes.get(partner, partner.value)}_") and "url" in name
            if isinstance(value := getattr(settings, name), str)
        ]
        for partner in Partner
    }
    # Its address need not be set: credentials alone turn it on, and choose one.
    sirene = sirene_config(settings)
    addresses[Partner.SIRENE] = [sirene.base_url] if sirene is not None else []
    if sirene is not None and isinstance(sirene.credentials, PasswordGrant):
        addresses[Partner.SIRENE].append(sirene.credentials.auth_url)
    # Its agents sign in elsewhere.
    addresses[Partner.RDV_INSERTION] = [
        url for url in (settings.rdv_insertion_api_base_url, settings.rdv_solidarites_api_base_url) if url is not None
    ]
    # Its address has a default: what turns it on is a relay for the mails that hold its link.
    if settings.smtp_url is None:
        addresses[Partner.DIAGORIENTE] = []
    return addresses


def _show(findings: list[Finding]) -> None:
    from ops.doctor import table_of

    _console().print(table_of(findings))


def _console() -> Console:
    """Wide where nothing tells the width, as in the log of a CI: tables should not be folded there."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _LOG_WIDTH)


def _fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(1)
