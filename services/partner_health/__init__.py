"""How partners fare, as all processes together see it."""

from services.partner_health.reading import WINDOW, PartnerHealth, read_partner_health
from services.partner_health.recording import PROCESS_CALLS, CallRecorder
from services.partner_health.reporting import forget_old_calls, reporting

__all__ = [
    "PROCESS_CALLS",
    "WINDOW",
    "CallRecorder",
    "PartnerHealth",
    "forget_old_calls",
    "read_partner_health",
    "reporting",
]
