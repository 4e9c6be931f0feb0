"""The pages of the dashboard, one file a subject."""

from collections.abc import Sequence

from ops.dashboard.pages import (
    alarms,
    audit,
    certifications,
    mails,
    notifications,
    overview,
    queues,
    runs,
    surveys,
    webhooks,
)
from ops.dashboard.visits import Acting, Reading

PAGES: Sequence[Reading] = (
    *overview.PAGES,
    *notifications.PAGES,
    *webhooks.PAGES,
    *alarms.PAGES,
    *mails.PAGES,
    *surveys.PAGES,
    *certifications.PAGES,
    *queues.PAGES,
    *runs.PAGES,
    *audit.PAGES,
)
ACTIONS: Sequence[Acting] = (*notifications.ACTIONS, *webhooks.ACTIONS, *alarms.ACTIONS, *queues.ACTIONS, *runs.ACTIONS)
