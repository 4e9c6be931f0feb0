"""From settings to what only workers take."""

from __future__ import annotations

from datetime import timedelta

from clients.mail import PARTNER as MAIL_RELAY
from clients.mail import MailConfig
from clients.mail_client import MailClient
from jobs.inbox import InboxPlan
from services.partner_health import PROCESS_CALLS
from services.privacy.retention import TraceRetention
from services.webhooks.dispatch import appliers
from services.webhooks.retention import Retention
from settings import Settings
from wiring import expected_webhooks, survey_plan


def inbox_plan(settings: Settings) -> InboxPlan:
    """Return what workers do about webhooks."""
    surveys = survey_plan(settings)
    return InboxPlan(
        appliers=appliers(survey_kinds=surveys.kinds_by_form if surveys is not None else {}),
        retention=Retention(
            settled=timedelta(days=settings.webhook_bodies_kept_days),
            waiting=timedelta(days=settings.webhook_waiting_bodies_kept_days),
        ),
        expected=expected_webhooks(settings),
    )


def trace_retention(settings: Settings) -> TraceRetention:
    """Return how long it is kept who read what, and what was tried."""
    return TraceRetention(
        traces=timedelta(days=settings.access_log_kept_days),
        visits=timedelta(days=settings.dashboard_visits_kept_days),
        attempts=timedelta(days=settings.attempts_kept_days),
        webhooks=timedelta(days=settings.webhook_events_kept_days),
        actions=timedelta(days=settings.audit_kept_days),
    )


def mail_client(settings: Settings) -> MailClient | None:
    """Return the client of the mail relay, or None when no mail leaves."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    config = MailConfig.from_url(settings.smtp_url.reveal(), sender=settings.mail_from)
    return PROCESS_CALLS.watch(MAIL_RELAY, MailClient(config, observer=PROCESS_CALLS))
