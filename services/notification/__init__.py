"""How an approval (PASS IAE) is announced to France Travail: checks, claims, attempts, runs."""

from services.notification.batch import BATCH_SIZE, BatchPreview, notify_batch, preview_batch
from services.notification.checks import NotificationFacts, blocking_checks
from services.notification.claims import Subject
from services.notification.on_demand import notify_one
from services.notification.summary import Alarm, BatchSummary
from services.notification.verdicts import BatchStop

__all__ = [
    "BATCH_SIZE",
    "Alarm",
    "BatchPreview",
    "BatchStop",
    "BatchSummary",
    "NotificationFacts",
    "Subject",
    "blocking_checks",
    "notify_batch",
    "notify_one",
    "preview_batch",
]
