"""The orders of lists: each ends with the id, so that a cursor stands on one row."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from resolvers.sources import Ordering

NEWEST_JOB_SEEKER = Ordering("JobSeeker:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
NEWEST_APPLICATION = Ordering("JobApplication:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
NEWEST_APPROVAL = Ordering("Approval:newest", ("{t}.start_at", "{t}.id"), (date, UUID), descending=True)
NEWEST_ATTEMPT = Ordering("NotificationAttempt:newest", ("{t}.started_at", "{t}.id"), (datetime, UUID), descending=True)
APPOINTMENT_BY_START = Ordering("Appointment:start", ("{t}.start_at", "{t}.id"), (datetime, UUID), descending=True)
PARTICIPATION_BY_START = Ordering(
    "Participation:start", ("{appointment}.start_at", "{t}.id"), (datetime, UUID), descending=True
)
NEWEST_REQUEST = Ordering("InvitationRequest:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
NEWEST_SURVEY = Ordering("Survey:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
COMPANY_BY_NAME = Ordering("Company:name", ("{t}.name", "{t}.id"), (str, UUID), descending=False)
