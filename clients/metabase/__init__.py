"""Metabase: signed dashboards, and the rows behind their cards. Source: Metabase's documentation of static embedding.

Metabase knows no user: whatever a token does not lock, it shows. Who may see what is decided before anything is signed.
"""

from clients.metabase.client import MetabaseClient
from clients.metabase.config import MetabaseConfig, build_metabase_http
from clients.metabase.embedding import DashboardScope, Filter, LockedValue
from clients.metabase.errors import MetabaseRejected, StatsFailure, stats_failure
from clients.metabase.exports import CardRows, DashboardCard, ExportFormat

__all__ = [
    "CardRows",
    "DashboardCard",
    "DashboardScope",
    "ExportFormat",
    "Filter",
    "LockedValue",
    "MetabaseClient",
    "MetabaseConfig",
    "MetabaseRejected",
    "StatsFailure",
    "build_metabase_http",
    "stats_failure",
]
