"""The pages that the frame leads to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    title: str


NAVIGATION = (
    Entry("/ops", "Vue d’ensemble"),
    Entry("/ops/notifications", "Notifications"),
    Entry("/ops/webhooks", "Webhooks"),
    Entry("/ops/queues", "Files"),
    Entry("/ops/mails", "Courriels"),
    Entry("/ops/surveys", "Enquêtes"),
    Entry("/ops/certifications", "Certifications"),
    Entry("/ops/runs", "Traitements"),
    Entry("/ops/audit", "Journal"),
)
