"""The pages of the dashboard, one file a subject."""

from collections.abc import Sequence

from ops.dashboard.pages import certifications, mails, notifications, overview, surveys, webhooks
from ops.dashboard.visits import Acting, Reading

PAGES: Sequence[Reading] = (
    *overview.PAGES,
    *notifications.PAGES,
    *webhooks.PAGES,
    *mails.PAGES,
    *surveys.PAGES,
    *certifications.PAGES,
)
ACTIONS: Sequence[Acting] = (*notifications.ACTIONS, *webhooks.ACTIONS)
