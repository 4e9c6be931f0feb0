"""The whole way from a GraphQL request to a partner: real clients on real connections, the sandbox at their far end.

Only two things are not as in production. The breakers live by a clock that tests move, and their deadlines are short.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, Protocol
from uuid import UUID

import httpx
import redis.asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from clients.api_geo import APIGeoClient, APIGeoConfig, build_api_geo_http
from clients.api_particulier import ApiParticulierClient, ApiParticulierConfig, build_api_particulier_http
from clients.ban import BANClient, BANConfig, build_ban_http
from clients.breaker import BreakerPolicy, BreakerState
from clients.data_inclusion import DataInclusionClient, DataInclusionConfig, build_data_inclusion_http
from clients.france_travail import FranceTravailClient, FranceTravailConfig, build_france_travail_http
from clients.metabase import MetabaseClient, MetabaseConfig, build_metabase_http
from clients.rdv_insertion import RDVInsertionClient, RDVInsertionConfig, build_rdv_insertion_http
from clients.repeat import Repeat
from clients.sirene import APIKey, SireneClient, SireneConfig, build_sirene_http
from clients.token_store import ValkeyTokenStore
from execution.engine import GraphQLEngine
from middleware import RequestIdMiddleware
from models.database import write
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from sandbox.api_particulier.settings import TOKEN as API_PARTICULIER_TOKEN
from sandbox.app import Sandbox, create_app
from sandbox.data_inclusion.settings import TOKEN as DATA_INCLUSION_TOKEN
from sandbox.france_travail import FranceTravailSettings
from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET
from sandbox.metabase.settings import SECRET_KEY
from sandbox.rdv.settings import AGENT_EMAIL, AGENT_PASSWORD
from sandbox.server import server_for
from sandbox.sirene.settings import API_KEY
from schema.exports import ExportsEndpoint
from schema.http import GraphQLEndpoint
from services.appointments.inviting import Inviting
from services.communes import Communes
from services.dashboards import Dashboards, ExportLinks
from services.establishments import Establishments
from services.geocoding import Geocoding
from services.inclusion_structures import InclusionStructures
from services.lookup_cache import LookupCache
from services.pacing import PostgresPacer
from services.tokens import TokenVerifier
from tests.integration.schema.client import AUDIENCE, CONFIG, HS256_KEY, ISSUER, GraphQLClient
from tests.unit.clients.doubles import ManualClock

_SERVER = "http://testserver"
FAILURES_TO_OPEN = 2
_BREAKER = BreakerPolicy(failures=FAILURES_TO_OPEN)
_ONCE_MORE = Repeat(failure_pause_seconds=0, patience_seconds=1)
_QUEUE_SECONDS = 1.0
_AMPLE_RPS = 1_000.0


class HasBreakers(Protocol):
    def breaker_states(self) -> dict[str, BreakerState]: ...


@dataclass
class Stand:
    """`clients`: by the name of the partner. `numbers`: for subjects that no cache has seen."""

    api: GraphQLClient
    sandbox: Sandbox
    clock: ManualClock
    clients: dict[str, HasBreakers]
    france_travail: FranceTravailClient
    ban: BANClient
    numbers: count[int]

    async def inject(self, mount: str, **fault: Any) -> None:
        """Break one simulated partner until `heal`."""
        await self._control("POST", "/_faults", {"partner": mount, **fault})

    async def set(self, mount: str, **settings: Any) -> None:
        await self._control("PATCH", "/_settings", {"partner": mount, **settings})

    async def heal(self) -> None:
        await self._control("DELETE", "/_faults")

    def calls(self, mount: str) -> int:
        """How many calls reached that partner."""
        return len(self.sandbox.calls.listing(partner=mount))

    def has_open_breaker(self, client: str) -> bool:
        return BreakerState.OPEN in self.clients[client].breaker_states().values()

    async def pass_a_day(self) -> None:
        """Breakers let a probe through again; the gates that partners had us close, and the pauses, are over."""
        self.clock.advance(timedelta(days=1).total_seconds())
        await write("DELETE FROM pacing_gate RETURNING key")
        await write("UPDATE partner_pause SET \"until\" = now() - interval '1 second' RETURNING partner")

    async def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        transport = httpx.ASGITransport(self.sandbox)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            (await http.request(method, path, json=body)).raise_for_status()


@asynccontextmanager
async def running_stand(
    valkey: redis.asyncio.Redis, engine: GraphQLEngine, *, deadline_seconds: float
) -> AsyncGenerator[Stand]:
    """`deadline_seconds`: how long every call to a partner may take."""
    sandbox = create_app(france_travail=FranceTravailSettings(rate_per_second=None))
    sandbox.partners["sirene"].change_settings({"calls_per_minute": 10_000})
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(_listening(sandbox))
        clock = ManualClock()
        builder = _Builder(url, valkey, clock, deadline_seconds, stack)
        cache = LookupCache(valkey, hash_key=b"tests-only")
        france_travail = await builder.france_travail()
        api_particulier = await builder.api_particulier()
        ban, geo, sirene = await builder.ban(), await builder.api_geo(), await builder.sirene()
        directory, rdv = await builder.data_inclusion(), await builder.rdv_insertion()
        metabase, links = await builder.metabase(), ExportLinks(b"tests-only-key-of-links-32-bytes", base_url=_SERVER)
        communes = Communes(geo, cache)
        inviting = Inviting(rdv)
        resources = Resources(
            cursors=CursorSigner(b"tests-only-cursor-key"),
            ring=ring_for_nobody,
            france_travail=france_travail,
            api_particulier=api_particulier,
            communes=communes,
            geocoding=Geocoding(ban, cache, communes),
            establishments=Establishments(sirene, cache),
            inclusion_structures=InclusionStructures(directory, cache, communes),
            inviting=inviting,
            dashboards=Dashboards(metabase=metabase, links=links),
        )
        stack.push_async_callback(cache.aclose)
        stack.push_async_callback(inviting.aclose)
        yield Stand(
            api=await stack.enter_async_context(_served(engine, resources, links)),
            sandbox=sandbox,
            clock=clock,
            clients={
                "france_travail": france_travail,
                "api_particulier": api_particulier,
                "ban": ban,
                "api_geo": geo,
                "sirene": sirene,
                "data_inclusion": directory,
                "rdv_insertion": rdv,
                "metabase": metabase,
            },
            france_travail=france_travail,
            ban=ban,
            numbers=count(1),
        )


@asynccontextmanager
async def _served(engine: GraphQLEngine, resources: Resources, links: ExportLinks) -> AsyncGenerator[GraphQLClient]:
    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY)
    app = Starlette(
        routes=[
            Route("/graphql", GraphQLEndpoint(engine, verifier, resources, CONFIG)),
            Route("/exports/{token}", ExportsEndpoint(resources.dashboards, links, verifier)),
        ],
        middleware=[Middleware(RequestIdMiddleware)],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=_SERVER) as http:
        yield GraphQLClient(http)


async def ring_for_nobody(job: str, record_id: UUID) -> None:
    """No worker listens: tests run the jobs that they are about."""


@asynccontextmanager
async def _listening(sandbox: Sandbox) -> AsyncGenerator[str]:
    server = server_for("127.0.0.1", 0, app=sandbox)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@dataclass
class _Builder:
    """Clients as wiring.py makes them, but for deadlines and the clock of their breakers."""

    url: str
    valkey: redis.asyncio.Redis
    clock: ManualClock
    seconds: float
    stack: AsyncExitStack

    async def france_travail(self) -> FranceTravailClient:
        base = f"{self.url}/france-travail"
        config = FranceTravailConfig(
            base_url=base,
            auth_base_url=base,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            timeout_seconds=self.seconds,
            token_timeout_seconds=self.seconds,
            max_rps=_AMPLE_RPS,
            queue_seconds=_QUEUE_SECONDS,
            breaker=_BREAKER,
        )
        http = await self.stack.enter_async_context(build_france_travail_http(config))
        pacer = PostgresPacer(config.pace_rates())
        return FranceTravailClient(config, http, ValkeyTokenStore(self.valkey), pacer, clock=self.clock)

    async def api_particulier(self) -> ApiParticulierClient:
        config = ApiParticulierConfig(
            base_url=f"{self.url}/api-particulier",
            token=API_PARTICULIER_TOKEN,
            recipient="13003013300016",
            deadline_seconds=self.seconds,
            max_rps=_AMPLE_RPS,
            queue_seconds=_QUEUE_SECONDS,
            breaker=_BREAKER,
        )
        http = await self.stack.enter_async_context(build_api_particulier_http(config))
        return ApiParticulierClient(config, http, PostgresPacer(config.pace_rates()), clock=self.clock)

    async def ban(self) -> BANClient:
        config = BANConfig(
            base_url=f"{self.url}/ban",
            timeout_seconds=self.seconds,
            failure_pause_seconds=0,
            max_rps=_AMPLE_RPS,
            breaker=_BREAKER,
        )
        http = await self.stack.enter_async_context(build_ban_http(config))
        return BANClient(config, http, PostgresPacer(config.pace_rates()), clock=self.clock)

    async def api_geo(self) -> APIGeoClient:
        config = APIGeoConfig(
            base_url=f"{self.url}/geo", timeout_seconds=self.seconds, max_rps=_AMPLE_RPS, breaker=_BREAKER
        )
        http = await self.stack.enter_async_context(build_api_geo_http(config))
        return APIGeoClient(config, http, PostgresPacer(config.pace_rates()), clock=self.clock)

    async def sirene(self) -> SireneClient:
        config = SireneConfig(
            credentials=APIKey(value=API_KEY),
            base_url=f"{self.url}/sirene/api-sirene/3.11",
            timeout_seconds=self.seconds,
            max_per_minute=60 * _AMPLE_RPS,
            user_queue_seconds=_QUEUE_SECONDS,
            failure_pause_seconds=0,
            breaker=_BREAKER,
        )
        http = await self.stack.enter_async_context(build_sirene_http(config))
        tokens, pacer = ValkeyTokenStore(self.valkey), PostgresPacer(config.pace_rates())
        return SireneClient(config, http, tokens, pacer, clock=self.clock)

    async def data_inclusion(self) -> DataInclusionClient:
        config = DataInclusionConfig(
            base_url=f"{self.url}/data-inclusion",
            token=DATA_INCLUSION_TOKEN,
            timeout_seconds=self.seconds,
            repeat=_ONCE_MORE,
            breaker=_BREAKER,
        )
        http = await self.stack.enter_async_context(build_data_inclusion_http(config))
        return DataInclusionClient(config, http, clock=self.clock)

    async def rdv_insertion(self) -> RDVInsertionClient:
        config = RDVInsertionConfig(
            base_url=f"{self.url}/rdv-insertion/api/v1",
            rdv_solidarites_base_url=f"{self.url}/rdv-solidarites/api/v1",
            email=AGENT_EMAIL,
            password=AGENT_PASSWORD,
            timeout_seconds=self.seconds,
            sign_in_timeout_seconds=self.seconds,
            max_rps=_AMPLE_RPS,
            queue_seconds=_QUEUE_SECONDS,
            breaker=_BREAKER,
        )
        http = await self.stack.enter_async_context(build_rdv_insertion_http(config))
        tokens, pacer = ValkeyTokenStore(self.valkey), PostgresPacer(config.pace_rates())
        return RDVInsertionClient(config, http, tokens, pacer, clock=self.clock)

    async def metabase(self) -> MetabaseClient:
        config = MetabaseConfig(
            site_url=f"{self.url}/metabase",
            secret_key=SECRET_KEY,
            listing_seconds=self.seconds,
            export_seconds=self.seconds,
            queue_seconds=_QUEUE_SECONDS,
            repeat=_ONCE_MORE,
            breaker=_BREAKER,
        )
        http = await self.stack.enter_async_context(build_metabase_http(config))
        return MetabaseClient(config, http, clock=self.clock)
