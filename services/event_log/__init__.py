"""The logs that subscriptions read: appended to by whoever changes something, read in the order of the commits."""

from services.event_log.appending import append, appending_together
from services.event_log.entries import (
    AppointmentChanged,
    ApprovalNotificationChanged,
    LogEntry,
    LogEvent,
    ParticipationStatusChanged,
    Stream,
)
from services.event_log.following import EndReason, StreamEnded, Wanted
from services.event_log.hub import EventHub, HubConfig, HubFigures
from services.event_log.reading import Cursor

__all__ = [
    "AppointmentChanged",
    "ApprovalNotificationChanged",
    "Cursor",
    "EndReason",
    "EventHub",
    "HubConfig",
    "HubFigures",
    "LogEntry",
    "LogEvent",
    "ParticipationStatusChanged",
    "Stream",
    "StreamEnded",
    "Wanted",
    "append",
    "appending_together",
]
