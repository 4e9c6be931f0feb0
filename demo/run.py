"""`traverse demo`: everything started, the main job played, everything ended again."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from demo import screen, showcase
from demo.booking import BookingPlay, commands, somebody_invited
from demo.cast.building import build_cast
from demo.cast.dice import PARIS
from demo.cast.well_known import Persona
from demo.cast.world import SimulatedWorld
from demo.children import Children, require_free_port
from demo.engines import EmbeddedEngines, Engines, EnginesError, forget_engines
from demo.environment import (
    DataDir,
    DemoError,
    DemoPlan,
    SandboxAccess,
    children_environ,
    write_settings,
)
from demo.http import Unreachable, call_json
from demo.load import DatabaseContent, DatabaseNotOurs, content_of, empty_database, load_cast
from demo.play import Play
from models.database import DatabaseConfig
from models.migrate import migrate

_READY_WITHIN_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.2
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """`reset`: forget what earlier demos left. `plays`: show the main job. `leaves`: end after it."""

    port: int
    data_dir: DataDir
    reset: bool = False
    plays: bool = True
    leaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoParts:
    """What the demo is made of and may not import: settings and sandbox belong to the command line.

    `configure` reads settings from the given environment, `make_token` makes a token by them.
    """

    world: SimulatedWorld
    sandbox_access: SandboxAccess
    configure: Callable[[Mapping[str, str]], DatabaseConfig]
    make_token: Callable[[Persona], str]


def run_demo(options: DemoOptions, parts: DemoParts, environ: Mapping[str, str], console: Console) -> int:
    """Run the demo until it is told to end, and return the exit code. Raises DemoError."""
    return asyncio.run(_until_told_to_end(options, parts, environ, console))


async def _until_told_to_end(
    options: DemoOptions, parts: DemoParts, environ: Mapping[str, str], console: Console
) -> int:
    demo = _Demo(options, parts, environ, console)
    task = asyncio.ensure_future(demo.run())
    told: list[int] = []

    def end_once(number: int) -> None:
        # Only the first signal counts: a second one would break off the clean-up.
        if not told:
            told.append(number)
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Through the loop: a signal then never falls between the start of a process and our knowing of it.
        loop.add_signal_handler(number, end_once, number)
    try:
        return await task
    except asyncio.CancelledError:
        return 0 if demo.is_up else _INTERRUPTED


class _Demo:
    def __init__(self, options: DemoOptions, parts: DemoParts, environ: Mapping[str, str], console: Console) -> None:
        self.is_up = False
        self._options = options
        self._parts = parts
        self._environ = environ
        self._console = console
        self._data_dir = options.data_dir

    async def run(self) -> int:
        """Start, play, stay up; whatever happens, what was started is ended."""
        if self._environ.get("ENVIRONMENT") == "production":
            raise DemoError("ENVIRONMENT is production: the demo invents data and keys, and will not do so there")
        started = time.monotonic()
        with contextlib.ExitStack() as started_things:
            started_things.enter_context(self._data_dir.held())
            require_free_port(self._options.port, "the API")
            require_free_port(self._options.port + 1, "the sandbox of the partners")
            require_free_port(self._options.port + 2, "the mail relay of the sandbox")
            await self._forget_if_asked()
            engines = self._start_engines(started_things)
            plan, config, environ = self._configure(engines)
            fresh = await self._prepare_database(config)
            children = started_things.enter_context(Children(environ=environ, logs=self._data_dir.logs))
            await self._start_servers(children, plan)
            screen.say(self._console, f"Ready after {time.monotonic() - started:.0f} s.")
            went_well = await self._perform(children, plan, config, fresh=fresh)
            await self._show_what_to_try(plan, config)
            if self._options.leaves:
                return 0 if went_well else 1
            self.is_up = True
            await self._stay_up(children)
        return 0

    async def _forget_if_asked(self) -> None:
        if not self._options.reset:
            return
        database_url = self._environ.get("DATABASE_URL")
        if database_url:
            try:
                await empty_database(database_url)
            except DatabaseNotOurs as error:
                raise DemoError(f"--reset: {error}") from None
        with self._console.status("Forgetting what was there"):
            forget_engines(self._data_dir.path)
            shutil.rmtree(self._data_dir.logs, ignore_errors=True)
        self._data_dir.settings_file.unlink(missing_ok=True)

    def _start_engines(self, started_things: contextlib.ExitStack) -> Engines:
        try:
            with self._console.status("Starting PostgreSQL and Valkey"):
                return started_things.enter_context(EmbeddedEngines(self._data_dir.path, self._environ))
        except EnginesError as error:
            raise DemoError(f"{error}") from None

    def _configure(self, engines: Engines) -> tuple[DemoPlan, DatabaseConfig, dict[str, str]]:
        plan = DemoPlan(
            port=self._options.port,
            database_url=engines.database_url,
            redis_url=engines.redis_url,
            sandbox_access=self._parts.sandbox_access,
        )
        environ = children_environ(self._environ, write_settings(self._data_dir, plan))
        return plan, self._parts.configure(environ), environ

    async def _prepare_database(self, config: DatabaseConfig) -> bool:
        """Migrate, and load the cast into an empty database. True when it was loaded now."""
        with self._console.status("Migrating the database"):
            await migrate(config)
        match await content_of(config.url):
            case DatabaseContent.DEMO:
                return False
            case DatabaseContent.SOMETHING_ELSE:
                raise DemoError(
                    "the database of DATABASE_URL holds accounts that are not the demo's: give it an empty database"
                )
            case DatabaseContent.EMPTY:
                with self._console.status("Inventing people, companies, approvals ...") as status:
                    cast = build_cast(datetime.now(UTC), self._parts.world)
                    rows = await load_cast(
                        config, cast, on_table=lambda table, number: status.update(f"Loading {table}: {number:,} rows")
                    )
                screen.say(self._console, f"Loaded {rows:,} invented rows.")
                return True

    async def _start_servers(self, children: Children, plan: DemoPlan) -> None:
        with self._console.status("Starting the sandbox and the API"):
            children.start("sandbox", "--port", f"{plan.sandbox_port}")
            children.start("serve")
            deadline = time.monotonic() + _READY_WITHIN_SECONDS
            for url in (f"{plan.sandbox_url}/_people", f"{plan.api_url}/readyz"):
                await _wait_for(url, children, deadline)
            # From here on, whoever books or answers in the sandbox is heard of here.
            for partner in ("rdv-insertion", "tally"):
                settings = {"partner": partner, "webhook_url": f"{plan.api_url}/webhooks/{partner}"}
                await call_json(f"{plan.sandbox_url}/_settings", method="PATCH", body=settings)

    async def _perform(self, children: Children, plan: DemoPlan, config: DatabaseConfig, *, fresh: bool) -> bool:
        if not self._options.plays:
            children.start("worker")
            return True
        play = Play(database_url=config.url, sandbox_url=plan.sandbox_url, console=self._console, fresh=fresh)
        screen.heading(self._console, "PASS IAE approvals are announced to France Travail")
        went_well = await play.perform(lambda: children.start("worker"), children.require_alive)
        screen.heading(self._console, "A booking travels to a live subscription")
        return await self._perform_booking(plan, config) and went_well

    async def _perform_booking(self, plan: DemoPlan, config: DatabaseConfig) -> bool:
        invited = await somebody_invited(config.url)
        if invited is None:
            screen.say(self._console, "Nobody of the demo's company is invited any more: nobody can book.")
            return True
        booking = BookingPlay(
            invited,
            database_url=config.url,
            api_url=plan.api_url,
            sandbox_url=plan.sandbox_url,
            token=self._parts.make_token(Persona.EMPLOYER),
            console=self._console,
        )
        return await booking.perform()

    async def _show_what_to_try(self, plan: DemoPlan, config: DatabaseConfig) -> None:
        console, token = self._console, self._parts.make_token
        shown, elapsed_ms = await showcase.time_employers_page(plan.api_url, token(Persona.EMPLOYER))
        screen.say(console, f"An employer's page, {shown} applications with all they show: {elapsed_ms:.0f} ms.")
        screen.heading(console, "To try")
        for address, what in (
            (f"{plan.api_url}/graphql", "GraphQL; in a browser, GraphiQL"),
            (f"{plan.api_url}/ops", "the operations dashboard; sign in with the token of staff"),
            (f"{plan.api_url}/readyz", "whether it can serve"),
            (f"{plan.sandbox_url}/_calls?summary=1", "what the simulated partners received"),
            (f"{self._data_dir.logs}/", "logs of the API, the worker and the sandbox"),
        ):
            screen.say(console, f"  {address:<44} {what}")
        traverse = self._traverse()
        screen.say(console, "\nTokens, for an hour each:")
        for persona in Persona:
            screen.say(console, f"  {traverse} token --as {persona}")
        for example in await showcase.examples(config.url, datetime.now(PARIS).date()):
            screen.say(console, f"\n# {example.title}\n{example.curl(plan.api_url, traverse)}")
        invited = await somebody_invited(config.url)
        if invited is not None:
            for title, line in commands(invited, api_url=plan.api_url, sandbox_url=plan.sandbox_url, traverse=traverse):
                screen.say(console, f"\n# {title}\n{line}")

    def _traverse(self) -> str:
        """The command as it can be typed in this folder."""
        command = Path(sys.executable).with_name("traverse")
        with contextlib.suppress(ValueError):
            command = command.relative_to(Path.cwd())
        is_default = self._data_dir == DataDir.of({})
        return f"{command}" if is_default else f"TRAVERSE_DATA_DIR={self._data_dir.path} {command}"

    async def _stay_up(self, children: Children) -> None:
        screen.say(self._console, "\nEverything is up. Ctrl-C ends it; the data stays for the next start.")
        while True:
            children.require_alive()
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _wait_for(url: str, children: Children, deadline: float) -> None:
    while True:
        children.require_alive()
        try:
            await call_json(url)
        except Unreachable as error:
            if time.monotonic() > deadline:
                raise DemoError(f"not ready within {_READY_WITHIN_SECONDS:.0f} s: {error}; see the logs") from None
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return
