"""The log that subscriptions read: appended to by whoever changes something, read in the order of the commits."""

from services.event_log.appending import append
from services.event_log.entries import AppointmentChanged, LogEntry, ParticipationStatusChanged

__all__ = ["AppointmentChanged", "LogEntry", "ParticipationStatusChanged", "append"]
