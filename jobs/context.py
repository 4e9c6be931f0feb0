"""What the jobs of a worker process share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from clients.api_geo import APIGeoClient
from clients.api_particulier import ApiParticulierClient
from clients.ban import BANClient
from clients.france_travail import FranceTravailClient
from clients.mail_client import MailClient
from clients.rdv_insertion import RDVInsertionClient
from jobs.current import CurrentJobs
from jobs.inbox import InboxPlan
from jobs.rounds import Rounds
from services.leases import DEFAULT_LEASE
from services.notification import BATCH_SIZE
from services.privacy.retention import TraceRetention
from services.surveys import SurveyPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPlan:
    """How approvals are announced. `last_hour`: of the day in Europe/Paris, in which runs still start."""

    enabled: bool = True
    interval: timedelta = timedelta(minutes=5)
    last_hour: int = 21
    batch_size: int = BATCH_SIZE
    lease: timedelta = DEFAULT_LEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """A partner is None where it is not configured: what needs it does nothing."""

    france_travail: FranceTravailClient | None
    notification: NotificationPlan
    certification_batch_size: int
    rounds: Rounds
    current: CurrentJobs
    api_particulier: ApiParticulierClient | None = None
    api_geo: APIGeoClient | None = None
    ban: BANClient | None = None
    mail: MailClient | None = None
    inbox: InboxPlan = field(default_factory=InboxPlan)
    appointments_kept: timedelta = timedelta(days=730)
    events_kept: timedelta = timedelta(days=7)
    traces_kept: TraceRetention = field(default_factory=TraceRetention)
    rdv_insertion: RDVInsertionClient | None = None
    surveys: SurveyPlan | None = None
