"""The types of the schema as they lie in the database: every field's column, every relation's join.

Each subject has its module; whichever is imported, all are known to the read layer.
"""

from __future__ import annotations

from resolvers.entities import appointments, approvals, job_applications, organizations, people, surveys
from resolvers.reading import register

register(
    people.USER,
    people.JOB_SEEKER,
    approvals.APPROVAL,
    approvals.NOTIFICATION_ATTEMPT,
    job_applications.JOB_APPLICATION,
    organizations.COMPANY,
    organizations.PRESCRIBER_ORGANIZATION,
    organizations.INSTITUTION,
    appointments.APPOINTMENT,
    appointments.LOCATION,
    appointments.PARTICIPATION,
    appointments.INVITATION_REQUEST,
    appointments.INVITATION,
    surveys.SURVEY,
)
