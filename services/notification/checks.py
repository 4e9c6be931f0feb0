"""The preliminary checks: what is known beforehand not to be worth a call. Pure.

Source: the platform's rules for announcing a PASS IAE. The order matters: the only permanent reason, the kind of
structure, must not hide one that heals by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clients.france_travail import type_siae
from models.enums import PreliminaryCheck
from models.states import NotificationEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFacts:
    """What the checks look at. A cancellation needs no job application: it has lost its own."""

    start_at: date
    siae_kind: str
    is_cancellation: bool
    has_accepted_application: bool
    has_complete_identity: bool


def blocking_checks(facts: NotificationFacts, *, today: date) -> list[PreliminaryCheck]:
    """Return what would hold the notification back on that day of Europe/Paris, the deciding reason first."""
    failing = {
        PreliminaryCheck.STARTS_IN_FUTURE: facts.start_at > today,
        PreliminaryCheck.NO_JOB_APPLICATION: not (facts.is_cancellation or facts.has_accepted_application),
        PreliminaryCheck.INVALID_SIAE_KIND: type_siae(facts.siae_kind) is None,
        PreliminaryCheck.MISSING_USER_DATA: not facts.has_complete_identity,
    }
    return [check for check, fails in failing.items() if fails]


def event_of(check: PreliminaryCheck) -> NotificationEvent:
    """Return what a failed check does to the notification: only the kind of structure never heals by itself."""
    if check is PreliminaryCheck.INVALID_SIAE_KIND:
        return NotificationEvent.REFUSED_LOCALLY
    return NotificationEvent.HELD_BACK
