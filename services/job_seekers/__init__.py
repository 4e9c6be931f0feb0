"""What may be changed of a job seeker, and by whom."""

from services.job_seekers.changes import UNCHANGED, AddressChange, JobSeekerChanges, Unchanged
from services.job_seekers.updating import Locked, Updated, UpdateOutcome, update_job_seeker

__all__ = [
    "UNCHANGED",
    "AddressChange",
    "JobSeekerChanges",
    "Locked",
    "Unchanged",
    "UpdateOutcome",
    "Updated",
    "update_job_seeker",
]
