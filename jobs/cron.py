"""The timetable: which jobs the bell may call, and what happens at which hour (UTC).

| name                  | when                                             | begun by              |
| --------------------- | ------------------------------------------------ | --------------------- |
| notify_approvals      | every 5 minutes, 00:00 to 21:59 in Europe/Paris  | jobs/notification.py  |
| certify_job_seekers   | at minute 10 of every hour, and at a start       | the queue             |
| ask_api_particulier   | every minute                                     | the queue             |
| take_up_unanswered    | 00:30 UTC                                        | the queue             |
| geocode_addresses     | every minute                                     | the queue             |
| synchronise_communes  | once a day; hourly after a failure               | the queue             |
| send_mails            | every minute                                     | the queue             |
| send_surveys          | every minute                                     | the queue             |
| reconcile_invitations | every minute                                     | the queue             |
| run_operations        | every minute, and when one is confirmed          | the queue             |
| reopen_webhook_events | every 5 minutes                                  | the queue             |
| purge_webhook_bodies  | 03:50 UTC                                        | the queue             |
| watch_webhooks        | at minute 20 of every hour                       | the queue             |
| forget_heartbeats     | 03:40 UTC                                        | the queue             |
| forget_appointments   | 03:30 UTC                                        | the queue             |
| forget_events         | 03:20 UTC                                        | the queue             |
| forget_partner_calls  | 03:10 UTC                                        | the queue             |
| forget_traces         | 03:00 UTC                                        | the queue             |
| count_old_cancellations | 06:00 UTC                                      | the queue             |
| process_webhooks      | when something came, and every 2 seconds         | jobs/webhooks.py      |

Each is a sweep over what is due: safe at any time, any number of times. Each leaves its last run in `cron_run`.
"""

from __future__ import annotations

from datetime import timedelta

from jobs.appointments import forget_appointments
from jobs.bell import PROCESS_WEBHOOKS
from jobs.certification import begin_asking, begin_certification, take_up_unanswered_questions
from jobs.communes import begin_synchronising
from jobs.context import WorkerContext
from jobs.events import forget_events
from jobs.geocoding import (
    GEOCODE_COMPANY,
    GEOCODE_JOB_SEEKER,
    begin_geocoding,
    geocode_company,
    geocode_job_seeker,
)
from jobs.heartbeat import forget_old_heartbeats
from jobs.invitations import begin_reconciling
from jobs.mails import SEND_MAIL, begin_sending, send_mail
from jobs.notification import NOTIFY_APPROVAL, notify_approval
from jobs.operations import RUN_OPERATIONS, begin_operations, wake_operations
from jobs.partners import forget_partner_calls
from jobs.privacy import count_cancellations, forget_old_traces
from jobs.queue import Job, Tick
from jobs.surveys import begin_surveys
from jobs.webhooks import purge_webhooks, reopen_webhooks, wake_inbox, watch_webhooks
from services.runs import exclusive_run

FORGET_HEARTBEATS = "forget_heartbeats"


async def forget_heartbeats(_: WorkerContext) -> None:
    """Tick: delete the heartbeats of workers that are gone for good."""
    async with exclusive_run(FORGET_HEARTBEATS, every=timedelta(hours=1)) as run:
        if run is not None:
            run.summary = {"deleted": await forget_old_heartbeats()}


JOBS = (
    Job(NOTIFY_APPROVAL, notify_approval),
    Job(GEOCODE_JOB_SEEKER, geocode_job_seeker),
    Job(GEOCODE_COMPANY, geocode_company),
    Job(SEND_MAIL, send_mail),
    Job(PROCESS_WEBHOOKS, wake_inbox),
    Job(RUN_OPERATIONS, wake_operations),
)
TICKS = (
    Tick("tick_certify_job_seekers", begin_certification, minute=10, at_start=True),
    Tick("tick_ask_api_particulier", begin_asking, minute=None, at_start=True),
    Tick("tick_take_up_unanswered", take_up_unanswered_questions, hour=0, minute=30),
    Tick("tick_geocode_addresses", begin_geocoding, minute=None, at_start=True),
    Tick("tick_synchronise_communes", begin_synchronising, minute=25, at_start=True),
    Tick("tick_send_mails", begin_sending, minute=None, at_start=True),
    Tick("tick_send_surveys", begin_surveys, minute=None, at_start=True),
    Tick("tick_reconcile_invitations", begin_reconciling, minute=None, at_start=True),
    Tick("tick_run_operations", begin_operations, minute=None, at_start=True),
    Tick("tick_reopen_webhooks", reopen_webhooks, minute=None, at_start=True),
    Tick("tick_purge_webhooks", purge_webhooks, hour=3, minute=50),
    Tick("tick_watch_webhooks", watch_webhooks, minute=20),
    Tick("tick_forget_heartbeats", forget_heartbeats, hour=3, minute=40),
    Tick("tick_forget_appointments", forget_appointments, hour=3, minute=30),
    Tick("tick_forget_events", forget_events, hour=3, minute=20),
    Tick("tick_forget_partner_calls", forget_partner_calls, hour=3, minute=10),
    Tick("tick_forget_traces", forget_old_traces, hour=3, minute=0),
    Tick("tick_count_cancellations", count_cancellations, hour=6, minute=0),
)
