"""The worker process: what it opens, what runs in it, how it ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import structlog

from jobs.bell import QUEUE
from jobs.context import NotificationPlan, WorkerContext
from jobs.cron import JOBS, TICKS
from jobs.current import CurrentJobs
from jobs.heartbeat import beating
from jobs.metrics import serve_metrics
from jobs.notification import notify_regularly
from jobs.queue import SHUTDOWN_GRACE, QueueServer
from jobs.rounds import Rounds
from jobs.valkey import connect
from jobs.webhooks import process_webhooks
from logs import configure_logging
from models.database import close_database, open_database
from services.partner_health import PROCESS_CALLS, reporting
from settings import Settings
from telemetry.partners import PARTNER_METRICS
from telemetry.process import sampling
from telemetry.tracing import PARTNER_TRACES, tracing
from wiring import (
    api_geo_client,
    api_particulier_client,
    ban_client,
    database_config,
    france_travail_client,
    rdv_insertion_client,
    survey_plan,
)
from worker_wiring import inbox_plan, mail_client, trace_retention

log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Waits for engines that are away; a supervisor restarts it after anything else."""
    configure_logging(level=settings.log_level, as_json=settings.is_production)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop, is_open = asyncio.Event(), asyncio.Event()
    _end_on_signals(stop, is_open)
    try:
        async with _opened(settings, stop) as context:
            is_open.set()
            await _serve(settings, context, stop)
    except asyncio.CancelledError:
        if is_open.is_set():
            raise
    log.info("worker_stopped")


def _end_on_signals(stop: asyncio.Event, is_open: asyncio.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. What still opens may wait for PostgreSQL, and is cancelled."""
    opening = asyncio.current_task()

    def end() -> None:
        stop.set()
        if opening is not None and not is_open.is_set():
            opening.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)


async def _serve(settings: Settings, context: WorkerContext, stop: asyncio.Event) -> None:
    server = QueueServer(lambda: connect(settings.redis_url), context, jobs=JOBS, ticks=TICKS)
    log.info("worker_started", queue=QUEUE, france_travail=context.france_travail is not None)
    async with asyncio.TaskGroup() as group:
        if settings.metrics_worker_port is not None:
            group.create_task(_serve_metrics(settings, settings.metrics_worker_port, stop))
        group.create_task(server.serve())
        group.create_task(notify_regularly(context))
        group.create_task(process_webhooks(context))
    await context.rounds.finish(SHUTDOWN_GRACE)


async def _serve_metrics(settings: Settings, port: int, stop: asyncio.Event) -> None:
    token = settings.metrics_token.reveal() if settings.metrics_token is not None else None
    await serve_metrics(stop, host=settings.metrics_worker_host, port=port, token=token)


@asynccontextmanager
async def _opened(settings: Settings, stop: asyncio.Event) -> AsyncGenerator[WorkerContext, None]:
    current = CurrentJobs()
    async with AsyncExitStack() as stack:
        await open_database(database_config(settings, application_name="traverse-worker"))
        stack.push_async_callback(close_database)
        await stack.enter_async_context(tracing(settings.otel_exporter_otlp_endpoint, service="traverse-worker"))
        PROCESS_CALLS.tell(PARTNER_METRICS)
        PROCESS_CALLS.tell(PARTNER_TRACES)
        await stack.enter_async_context(reporting(PROCESS_CALLS, "worker"))
        await stack.enter_async_context(sampling())
        valkey = await stack.enter_async_context(connect(settings.redis_url))
        france_travail = await france_travail_client(settings, valkey, stack)
        if france_travail is None:
            log.info("partner_off", partner="france_travail", advice="set the FT_ variables to turn it on")
        await stack.enter_async_context(beating(QUEUE, current))
        yield WorkerContext(
            france_travail=france_travail,
            notification=NotificationPlan(
                enabled=settings.pass_iae_notifications_enabled,
                interval=settings.notification_interval,
                last_hour=settings.notification_last_hour,
                batch_size=settings.pass_iae_batch_size,
                lease=settings.notification_lease,
            ),
            certification_batch_size=settings.certification_batch_size,
            rounds=Rounds(stop, current),
            current=current,
            api_particulier=await api_particulier_client(settings, stack),
            api_geo=await api_geo_client(settings, stack),
            ban=await ban_client(settings, stack),
            mail=mail_client(settings),
            inbox=inbox_plan(settings),
            appointments_kept=timedelta(days=settings.appointments_kept_days),
            events_kept=timedelta(days=settings.event_log_retention_days),
            traces_kept=trace_retention(settings),
            rdv_insertion=await rdv_insertion_client(settings, valkey, stack),
            surveys=survey_plan(settings),
        )
