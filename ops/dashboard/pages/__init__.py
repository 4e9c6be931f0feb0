"""The pages of the dashboard, one file a subject."""

from collections.abc import Sequence

from ops.dashboard.pages import notifications, overview
from ops.dashboard.visits import Acting, Reading

PAGES: Sequence[Reading] = (*overview.PAGES, *notifications.PAGES)
ACTIONS: Sequence[Acting] = (*notifications.ACTIONS,)
