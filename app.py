"""The ASGI application: which paths are served, and what a process opens and closes. No logic of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from execution.engine import GraphQLEngine
from execution.limits import Limits
from health import STARTING, STOPPING, readiness
from jobs.bell import INBOX, PROCESS_WEBHOOKS, JobQueue
from jobs.queue_reading import ValkeyQueueReader
from jobs.valkey import connect
from jobs.witness import Witness
from logs import configure_logging
from metrics import SharedFigures, audience_of, shared_figures
from middleware import AddressLimitMiddleware, RequestIdMiddleware, SecurityHeadersMiddleware
from models.database import close_database, open_database
from models.reserved_pool import ReservedPool
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from schema.admission import Admission, Introspectors
from schema.build import build_schema
from schema.documents import DocumentRules
from schema.exports import ExportsEndpoint
from schema.http import EndpointConfig, GraphQLEndpoint
from schema.streams.connection import SocketLimits
from schema.streams.events import EventStreamLimits
from schema.streams.server import DRAIN_STATE
from schema.streams.sockets import SocketEndpoint
from schema.streams.transports import TransportConfig, Transports
from schema.token_endpoint import TokenEndpoint
from services.clock import utc_now
from services.dashboards import EXPORTS_PATH
from services.partner_health import PROCESS_CALLS, reporting
from services.rate_limits import SharedCounts
from settings import Settings, load_settings
from telemetry.endpoint import MetricsEndpoint
from telemetry.partners import PARTNER_METRICS
from telemetry.process import sampling
from telemetry.tracing import PARTNER_TRACES, tracing
from webhooks.bell import Bell
from webhooks.diagoriente import diagoriente_route
from webhooks.routes import webhook_routes
from wiring import (
    address_searches,
    api_particulier_client,
    ban_client,
    communes,
    dashboard_requests,
    dashboards,
    database_config,
    diagoriente_links,
    establishment_searches,
    establishments,
    event_source,
    expected_webhooks,
    export_links,
    france_travail_client,
    geocoding,
    inclusion_structure_searches,
    inclusion_structures,
    invitation_hold,
    inviting,
    lookup_cache,
    partner_tokens,
    rate_limits,
    sends_mails,
    survey_plan,
    token_verifier,
)

if TYPE_CHECKING:
    from ops.dashboard import Dashboard
    from services.tokens import TokenVerifier

log = structlog.get_logger(__name__)

# Probes are answered at any time, and the doors of webhooks count for themselves.
_UNCOUNTED_PATHS = ("/healthz", "/readyz", "/metrics", "/webhooks/")
_GRAPHIQL = Path(__file__).parent / "schema" / "static" / "graphiql"


def build() -> Starlette:
    """Return the application for uvicorn (`app:build`, a factory), from the environment."""
    return create_app(load_settings())


def create_app(settings: Settings) -> Starlette:
    """Return the application. It opens nothing before its lifespan starts."""
    configure_logging(level=settings.log_level, as_json=settings.is_production)
    process = _Process(settings)
    routes: list[BaseRoute] = [
        Route("/graphql", process.graphql),
        WebSocketRoute("/graphql", process.sockets),
        Route(f"{EXPORTS_PATH}/{{token}}", process.exports, methods=["GET"]),
        Route("/oauth/token", process.tokens, methods=["POST"]),
        Route("/ops", process.operations),
        Route("/ops/{rest:path}", process.operations),
        Route("/healthz", _healthz),
        Route("/readyz", process.readyz),
        Route("/metrics", process.metrics, methods=["GET"]),
        diagoriente_route(diagoriente_links(settings)),
        *webhook_routes(
            process.reserved_pool,
            process.bell,
            rdv_insertion_secrets=[secret.reveal() for secret in settings.rdv_insertion_webhook_secret],
            rdv_insertion_jwt=settings.rdv_insertion_webhook_jwt,
            tally_secrets=[secret.reveal() for secret in settings.tally_webhook_secret],
            refusals=process.limits.refused_webhooks,
        ),
    ]
    if not settings.is_production:
        routes.append(Mount("/graphql/static", StaticFiles(directory=_GRAPHIQL)))
    application = Starlette(
        routes=routes,
        lifespan=process.lifespan,
        middleware=[
            Middleware(RequestIdMiddleware),
            Middleware(SecurityHeadersMiddleware, strict_transport=settings.is_production),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_allowed_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
                expose_headers=["X-Request-ID", "Content-Disposition", "Retry-After", "RateLimit", "RateLimit-Policy"],
                max_age=600,
            ),
            # Inside of CORS: a page of the front end is to read why it is refused.
            Middleware(
                AddressLimitMiddleware,
                limiter=process.limits.addresses,
                uncounted=_UNCOUNTED_PATHS,
                knows_proxies=bool(settings.trusted_proxies),
            ),
        ],
    )
    # A slash too many would lead to whatever host the request named, and a token behind a proxy to plain HTTP.
    application.router.redirect_slashes = False
    return application


async def _healthz(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def _introspectors(settings: Settings) -> Introspectors:
    if settings.graphql_introspection is not None:
        return Introspectors(settings.graphql_introspection)
    return Introspectors.STAFF if settings.is_production else Introspectors.EVERYONE


class _GraphQLRoute:
    """Hands requests to the endpoint that the lifespan made."""

    endpoint: GraphQLEndpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.endpoint(scope, receive, send)


class _ExportsRoute:
    """The same for exports."""

    endpoint: ExportsEndpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.endpoint(scope, receive, send)


class _OperationsRoute:
    """The operations dashboard, made when it is first asked for: most processes never need all that it consists of."""

    make: Callable[[], Dashboard]
    _endpoint: Dashboard | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._endpoint is None:
            # In a thread, so that other requests go on meanwhile.
            await asyncio.to_thread(import_module, "ops.dashboard")
            await asyncio.to_thread(import_module, "jobs.timetable")
        if self._endpoint is None:
            self._endpoint = self.make()
        await self._endpoint(scope, receive, send)

    def end_streams(self) -> None:
        if self._endpoint is not None:
            self._endpoint.end_streams()


class _SocketRoute:
    """The same for WebSockets."""

    endpoint: SocketEndpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.endpoint(scope, receive, send)


class _Process:
    """What one API process holds open, between its start and its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._document_rules = DocumentRules(frozenset(settings.graphql_trusted_documents_only_for))
        self.limits = rate_limits(settings)
        self._admission = Admission(self.limits, _introspectors(settings), most_cost=settings.graphql_max_cost)
        self.graphql = _GraphQLRoute()
        self.sockets = _SocketRoute()
        self.exports = _ExportsRoute()
        self.operations = _OperationsRoute()
        self._token_endpoint: TokenEndpoint
        self._valkey: Redis | None = None
        self._figures: SharedFigures | None = None
        self._is_draining = False
        self.reserved_pool = ReservedPool(
            database_config(settings, application_name="traverse-api"), size=settings.webhook_pool_size
        )
        self.bell = Bell(self._ring_for_inbox)

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncGenerator[dict[str, Any], None]:
        settings = self._settings
        async with AsyncExitStack() as stack:
            await open_database(database_config(settings, application_name="traverse-api"))
            stack.push_async_callback(close_database)
            await stack.enter_async_context(tracing(settings.otel_exporter_otlp_endpoint, service="traverse-api"))
            await stack.enter_async_context(reporting(PROCESS_CALLS, "api"))
            self._valkey = connect(settings.redis_url)
            stack.push_async_callback(self._valkey.aclose)
            queue = JobQueue(self._valkey)
            shared = SharedCounts(self._valkey, self.limits.all, hash_key=settings.derive_key("rate-limits"))
            await stack.enter_async_context(shared.kept_in_step())
            await self.reserved_pool.open()
            stack.push_async_callback(self.reserved_pool.close)
            await stack.enter_async_context(self.bell.hung())
            cache = lookup_cache(settings, self._valkey)
            known_communes = await communes(settings, cache, stack)
            links = export_links(settings)
            verifier = await token_verifier(settings, stack)
            resources = Resources(
                cursors=CursorSigner(settings.derive_key("cursors")),
                events=event_source(settings, stack),
                ring=queue.ring,
                france_travail=await france_travail_client(settings, self._valkey, stack),
                api_particulier=await api_particulier_client(settings, stack),
                communes=known_communes,
                geocoding=geocoding(await ban_client(settings, stack), cache, known_communes),
                address_searches=address_searches(settings, self._valkey),
                establishments=await establishments(settings, self._valkey, cache, stack),
                establishment_searches=establishment_searches(settings, self._valkey),
                surveys=survey_plan(settings),
                diagoriente=diagoriente_links(settings) if sends_mails(settings) else None,
                inclusion_structures=await inclusion_structures(settings, cache, known_communes, stack),
                inclusion_structure_searches=inclusion_structure_searches(settings, self._valkey),
                inviting=await inviting(settings, self._valkey, stack),
                invitation_hold=invitation_hold(settings),
                dashboards=await dashboards(settings, links, stack),
                dashboard_requests=dashboard_requests(settings, self._valkey),
            )
            # Last in, first out: the questions under way end before the clients that they ask through.
            stack.push_async_callback(cache.aclose)
            engine = GraphQLEngine(
                build_schema(hide_suggestions=settings.is_production),
                Limits(depth=settings.graphql_max_depth, cost=settings.graphql_max_cost),
                hide_suggestions=settings.is_production,
                compiled_plans=settings.graphql_compiled_plans,
                native_dates=True,  # every transport encodes with orjson
                trusted=settings.trusted_documents(),
            )
            transports = await stack.enter_async_context(Transports(engine, verifier, resources, self._transports()))
            self.sockets.endpoint = transports.sockets
            PROCESS_CALLS.tell(PARTNER_METRICS)
            PROCESS_CALLS.tell(PARTNER_TRACES)
            self._figures = shared_figures(self._valkey, expected_webhooks(settings))
            hub = resources.events.hub if resources.events is not None else None
            await stack.enter_async_context(sampling(audience_of(transports.streams, hub)))
            self.graphql.endpoint = GraphQLEndpoint(
                engine,
                verifier,
                resources,
                EndpointConfig(
                    max_body_bytes=settings.graphql_max_body_bytes,
                    deadline_seconds=settings.request_deadline.total_seconds(),
                    is_production=settings.is_production,
                    documents=self._document_rules,
                    admission=self._admission,
                    remembers_viewers=True,
                ),
                transports.event_streams,
            )
            self._token_endpoint = TokenEndpoint(partner_tokens(settings), self.limits.partner_tokens)
            self.exports.endpoint = ExportsEndpoint(resources.dashboards, links, verifier, resources.dashboard_requests)
            witness, started_at = Witness(self._valkey), utc_now()
            await witness.kept_since(started_at)
            self.operations.make = partial(self._dashboard, self._valkey, verifier, witness, started_at)
            log.info("api_started", environment=settings.environment.value)

            def begin_drain() -> None:
                self._is_draining = True
                transports.begin_drain()
                self.operations.end_streams()

            yield {DRAIN_STATE: begin_drain}
        log.info("api_stopped")

    def _dashboard(self, valkey: Redis, verifier: TokenVerifier, witness: Witness, started_at: datetime) -> Dashboard:
        from jobs.timetable import BOUNDS, planned_crons
        from ops.dashboard import Dashboard, Parts

        settings = self._settings
        return Dashboard(
            Parts(
                verifier=verifier,
                session_key=settings.derive_key("ops-sessions"),
                is_production=settings.is_production,
                environment=settings.environment.value,
                ring=JobQueue(valkey).ring,
                queue=ValkeyQueueReader(valkey),
                queue_kept_since=witness.kept_since,
                started_at=started_at,
                planned_crons=planned_crons(
                    notification_interval=settings.notification_interval,
                    notification_last_hour=settings.notification_last_hour,
                ),
                job_bounds=BOUNDS,
                expected_webhooks=expected_webhooks(settings),
                sign_ins=self.limits.ops_sign_ins,
            )
        )

    async def _ring_for_inbox(self) -> None:
        if self._valkey is not None:
            await JobQueue(self._valkey).ring(PROCESS_WEBHOOKS, INBOX)

    def _transports(self) -> TransportConfig:
        settings = self._settings
        send_seconds = settings.graphql_stream_send_timeout.total_seconds()
        return TransportConfig(
            deadline_seconds=settings.request_deadline.total_seconds(),
            allowed_origins=settings.cors_allowed_origins,
            documents=self._document_rules,
            admission=self._admission,
            most_streams=settings.graphql_streams_max,
            most_streams_per_client=settings.graphql_streams_max_per_client,
            rights_interval_seconds=settings.graphql_stream_rights_interval.total_seconds(),
            drain_window_seconds=settings.graphql_stream_drain_window.total_seconds(),
            sockets=SocketLimits(
                init_seconds=settings.graphql_socket_init_timeout.total_seconds(),
                send_seconds=send_seconds,
                max_operations=settings.graphql_socket_max_operations,
                messages_per_second=settings.graphql_socket_messages_per_second,
                message_burst=int(4 * settings.graphql_socket_messages_per_second),
            ),
            event_streams=EventStreamLimits(
                ping_seconds=settings.graphql_stream_ping_interval.total_seconds(), send_seconds=send_seconds
            ),
        )

    async def tokens(self, request: Request) -> Response:
        return await self._token_endpoint(request)

    async def metrics(self, request: Request) -> Response:
        token = self._settings.metrics_token
        endpoint = MetricsEndpoint(token.reveal() if token is not None else None, self._figures)
        return await endpoint.answer(request)

    async def readyz(self, _: Request) -> JSONResponse:
        # Asked over a connection from before the end began: no new ones are taken.
        if self._valkey is None or self._is_draining:
            return JSONResponse({"ready": False, **(STOPPING if self._is_draining else STARTING)}, status_code=503)
        ready, found = await readiness(self._valkey)
        return JSONResponse({"ready": ready, **found}, status_code=200 if ready else 503)
