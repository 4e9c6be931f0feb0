"""Applying one event of RDV-Insertion, in the transaction and under the lock of whoever calls.

The order in which the events of an appointment or invitation arrive makes no difference to what they come to, nor does
it matter how often one of them is applied.
"""

from __future__ import annotations

from datetime import datetime

from clients.rdv_insertion import APPOINTMENT, INVITATION, Envelope
from services.appointments.appointment_events import apply_appointment_event
from services.appointments.invitation_events import apply_invitation_event
from services.webhooks.outcomes import Ignored, Outcome


async def apply_event(envelope: Envelope, body: bytes, *, now: datetime) -> Outcome:
    """Write the effect of one event and say what came of it. Only accidents are raised.

    The caller holds the lock of the resource (its model and number) until its transaction ends. The same event again
    is no mistake: it finds the people who were invited since.
    """
    match envelope.model:
        case model if model == APPOINTMENT:
            return await apply_appointment_event(envelope, body, now=now)
        case model if model == INVITATION:
            return await apply_invitation_event(envelope, body)
        case _:
            return Ignored("unsupported_model")
