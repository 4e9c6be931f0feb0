"""Dashboards: who may open which, limited to what; their cards as files. Metabase knows no user: all of it is ours."""

from services.dashboards.audiences import AccessPolicy, Audience
from services.dashboards.catalogue import DASHBOARDS, Dashboard
from services.dashboards.deciding import Granted, Refusal, decide
from services.dashboards.downloads import CardFile, DownloadFailure, DownloadRefused, open_file
from services.dashboards.links import EXPORTS_PATH, ExpiredLink, ExportLinks, ExportTicket, FileFormat, InvalidLink
from services.dashboards.service import Dashboards, cards_of, viewer_of
from services.dashboards.viewers import DashboardViewer, load_dashboard_viewer
from services.dashboards.visits import record_visits

__all__ = [
    "DASHBOARDS",
    "EXPORTS_PATH",
    "AccessPolicy",
    "Audience",
    "CardFile",
    "Dashboard",
    "DashboardViewer",
    "Dashboards",
    "DownloadFailure",
    "DownloadRefused",
    "ExpiredLink",
    "ExportLinks",
    "ExportTicket",
    "FileFormat",
    "Granted",
    "InvalidLink",
    "Refusal",
    "cards_of",
    "decide",
    "load_dashboard_viewer",
    "open_file",
    "record_visits",
    "viewer_of",
]
