"""Who applies the events of which partner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from clients.rdv_insertion.events import UnreadableEvent, read_envelope
from models.enums import Partner, SurveyKind
from services.appointments.applying import apply_event
from services.surveys.answers import apply_answer
from services.webhooks.outcomes import Failed, Outcome
from services.webhooks.processing import Applier, Appliers, PendingEvent

UNREADABLE = "unreadable"


async def _apply_rdv_insertion(event: PendingEvent, now: datetime) -> Outcome:
    try:
        envelope = read_envelope(event.body)
    except UnreadableEvent:
        return Failed(UNREADABLE)  # it could be read at the door: this version is stricter than the one that stored it
    return await apply_event(envelope, event.body, now=now)


def _tally_applier(kinds: Mapping[str, SurveyKind]) -> Applier:
    async def apply(event: PendingEvent, _: datetime) -> Outcome:
        # An answer without a date of its own was given when we heard of it, however late it is processed.
        return await apply_answer(event.body, kinds=kinds, now=event.received_at)

    return apply


def appliers(*, survey_kinds: Mapping[str, SurveyKind]) -> Appliers:
    """Who applies what. `survey_kinds`: the kind of each configured form."""
    return MappingProxyType({Partner.RDV_INSERTION: _apply_rdv_insertion, Partner.TALLY: _tally_applier(survey_kinds)})
