"""The first page: does work get done, and if not, what to do. Ages come before numbers."""

from __future__ import annotations

from ops.dashboard.alerts import alerts_of, tone_of_due
from ops.dashboard.charts import Chart, Series
from ops.dashboard.visits import Reading, View, Visit
from services.operations import crons, due, pausing, series, workers
from services.partner_health import read_partner_health
from services.webhooks.silence import read_activity

_WINDOWS = {"1h": series.Window.HOUR, "6h": series.Window.SIX_HOURS, "24h": series.Window.DAY, "7j": series.Window.WEEK}
_DEFAULT_WINDOW = "6h"


async def overview(visit: Visit) -> View:
    """One look at everything; twelve statements and two questions to Valkey, whatever the amount of data."""
    now = visit.now
    chosen = visit.query("window") if visit.query("window") in _WINDOWS else _DEFAULT_WINDOW
    window = _WINDOWS[chosen]
    waiting = await due.read_due(now=now)
    queue = await visit.parts.queue.figures(now=now)
    kept_since = await visit.parts.queue_kept_since(now)
    # What was set before this process began is no news.
    emptied_at = kept_since if kept_since is not None and kept_since > visit.parts.started_at else None
    living = await workers.read_workers(now=now, bounds=visit.parts.job_bounds)
    planned = await crons.read_crons(visit.parts.planned_crons, now=now)
    partners = await read_partner_health(now=now)
    pauses = await pausing.read_pauses(now=now)
    activity = await read_activity(visit.parts.expected_webhooks, now=now)
    recall = visit.parts.memory.recall
    notifications = await recall(
        ("attempts over time", window), lambda: series.read_notification_series(window, now=now)
    )
    webhooks = await recall(("events over time", window), lambda: series.read_webhook_series(window, now=now))
    return View(
        template="overview.html",
        values={
            "alerts": alerts_of(
                due=waiting,
                queue=queue,
                workers=living,
                crons=planned,
                partners=partners,
                pauses=pauses,
                webhooks=activity,
                emptied_at=emptied_at,
                now=now,
            ),
            "due": waiting,
            "due_tone": tone_of_due,
            "queue": queue,
            "workers": living,
            "crons": planned,
            "partners": partners,
            "notifications": notifications,
            "webhooks": webhooks,
            "charts": [*_notification_charts(notifications), *_webhook_charts(webhooks)],
            "windows": tuple(_WINDOWS),
            "window": chosen,
        },
    )


def _notification_charts(read: series.Series) -> list[Chart]:
    starts = [bucket.start for bucket in read.buckets]
    return [
        Chart(
            title="Notifications à France Travail : tentatives",
            starts=starts,
            is_stacked=True,
            series=[
                Series("Réussies", "good", [bucket.succeeded for bucket in read.buckets]),
                Series("Retenues avant l’appel", "neutral", [_others(bucket) for bucket in read.buckets]),
                Series("Échouées", "bad", [bucket.failed for bucket in read.buckets]),
            ],
        ),
        _durations("Notifications à France Travail : durées", read),
    ]


def _webhook_charts(read: series.Series) -> list[Chart]:
    starts = [bucket.start for bucket in read.buckets]
    return [
        Chart(
            title="Webhooks reçus",
            starts=starts,
            is_stacked=True,
            series=[
                Series("Traités", "good", [bucket.succeeded for bucket in read.buckets]),
                Series("En attente ou sans correspondance", "neutral", [_others(bucket) for bucket in read.buckets]),
                Series("En échec", "bad", [bucket.failed for bucket in read.buckets]),
            ],
        ),
        _durations("Webhooks : de la réception au traitement", read),
    ]


def _durations(title: str, read: series.Series) -> Chart:
    return Chart(
        title=title,
        starts=[bucket.start for bucket in read.buckets],
        is_stacked=False,
        unit="ms",
        series=[
            Series("Médiane", "accent", [bucket.p50_ms for bucket in read.buckets]),
            Series("95 %", "warning", [bucket.p95_ms for bucket in read.buckets]),
            Series("99 %", "bad", [bucket.p99_ms for bucket in read.buckets]),
        ],
    )


def _others(bucket: series.Bucket) -> int:
    return bucket.total - bucket.succeeded - bucket.failed


PAGES = (Reading("", overview),)
