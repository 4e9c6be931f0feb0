"""Surveys as they lie in the database."""

from __future__ import annotations

from models.enums import SurveyKind, SurveyStatus
from resolvers.entities.values import as_they_are
from resolvers.sources import Column, Computed, Entity, OnDemand, ToOne

SURVEY = Entity(
    "Survey",
    "survey",
    fields={
        "kind": Column("{t}.kind", SurveyKind),
        "status": Column("{t}.status", SurveyStatus),
        "sentAt": Column("{t}.sent_at"),
        "answeredAt": Column("{t}.answered_at"),
        "jobApplication": ToOne("JobApplication", "{other}.id = {t}.job_application_id"),
        "url": OnDemand(("link_parts",)),
    },
    private={"link_parts": Computed(("{t}.form_id", "{t}.context::text", "{t}.reference"), as_they_are)},
)
