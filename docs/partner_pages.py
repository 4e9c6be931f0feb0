"""One reference page a partner: what code, settings and simulator say of it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from clients.api_geo import APIGeoConfig
from clients.api_particulier import ApiParticulierConfig
from clients.api_particulier.outcomes import Outcome
from clients.ban import BANConfig
from clients.ban.outcomes import GeocodingOutcome
from clients.breaker import BreakerPolicy
from clients.data_inclusion import DataInclusionConfig
from clients.data_inclusion.errors import DirectoryFailure
from clients.france_travail import FranceTravailConfig
from clients.france_travail.codes import Endpoint, SearchOutcome
from clients.france_travail.labels import labels_of
from clients.mail import MailConfig
from clients.metabase import MetabaseConfig
from clients.metabase.errors import StatsFailure
from clients.rdv_insertion import RDVInsertionConfig
from clients.rdv_insertion.codes import AttendanceStatus, InvitationProgress
from clients.sirene import SireneConfig
from clients.sirene.outcomes import SireneOutcome
from services.communes import Communes
from services.establishments import Establishments
from services.geocoding import Geocoding
from services.inclusion_structures import InclusionStructures
from services.lookups import Lookup, LookupPolicy

PARTNERS = Path(__file__).parent / "reference" / "partners"
_SANDBOX = Path(__file__).parent.parent / "sandbox" / "README.md"
_NOBODY: Any = None  # what a service is made of, where only its policies are read
_HEAD = "<!-- Written by `python -m docs.generate` from the code: edit it there. -->\n"
_UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """`shown_by`: fields of the schema. `section`: how the partner's heading on the sandbox's page begins."""

    name: str
    title: str
    module: str
    settings: str
    shown_by: tuple[str, ...]
    section: str
    config: type[Any] | None = None
    codes: tuple[type[StrEnum], ...] = ()
    service: object = None


_PAGES = (
    _Page(
        name="france-travail",
        title="France Travail",
        module="clients.france_travail",
        settings="France Travail",
        shown_by=("certifyIdentity", "createApproval", "retryApprovalNotification", "Approval.notification"),
        section="France Travail",
        config=FranceTravailConfig,
        codes=(SearchOutcome,),
    ),
    _Page(
        name="api-particulier",
        title="API Particulier",
        module="clients.api_particulier",
        settings="API Particulier",
        shown_by=("recordConsent", "certifyIdentity", "JobSeeker.readonlyFields", "updateJobSeeker"),
        section="API Particulier",
        config=ApiParticulierConfig,
        codes=(Outcome,),
    ),
    _Page(
        name="ban",
        title="Base Adresse Nationale",
        module="clients.ban",
        settings="Base Adresse Nationale",
        shown_by=("addressSuggestions", "geocode", "PostalAddress.coordinates"),
        section="BAN",
        config=BANConfig,
        codes=(GeocodingOutcome,),
        service=Geocoding(_NOBODY, _NOBODY, None),
    ),
    _Page(
        name="api-geo",
        title="API Géo",
        module="clients.api_geo",
        settings="API Géo",
        shown_by=("commune", "communes", "PostalAddress.commune", "JobSeeker.birthPlace"),
        section="API Géo",
        config=APIGeoConfig,
        service=Communes(_NOBODY, _NOBODY),
    ),
    _Page(
        name="sirene",
        title="INSEE's Sirene",
        module="clients.sirene",
        settings="INSEE's Sirene",
        shown_by=("establishment", "Company.establishment", "registerCompany", "updateCompany"),
        section="Sirene",
        config=SireneConfig,
        codes=(SireneOutcome,),
        service=Establishments(_NOBODY, _NOBODY),
    ),
    _Page(
        name="data-inclusion",
        title="data·inclusion",
        module="clients.data_inclusion",
        settings="data·inclusion",
        shown_by=("inclusionStructures",),
        section="data·inclusion",
        config=DataInclusionConfig,
        codes=(DirectoryFailure,),
        service=InclusionStructures(_NOBODY, _NOBODY, None),
    ),
    _Page(
        name="rdv-insertion",
        title="RDV-Insertion",
        module="clients.rdv_insertion",
        settings="RDV-Insertion",
        shown_by=("inviteToAppointment", "appointments", "participations", "JobApplication.nextAppointmentStartAt"),
        section="RDV-Solidarités",
        config=RDVInsertionConfig,
        codes=(AttendanceStatus, InvitationProgress),
    ),
    _Page(
        name="diagoriente",
        title="Diagoriente, and mails",
        module="clients.mail_client",
        settings="Mails and Diagoriente",
        shown_by=("sendDiagorienteInvitation", "JobApplication.diagorienteInvitation"),
        section="Mails",
        config=MailConfig,
    ),
    _Page(
        name="tally",
        title="Tally",
        module="clients.tally",
        settings="Tally",
        shown_by=("requestSurvey", "Survey.url", "surveys", "surveyStatistics"),
        section="Tally",
    ),
    _Page(
        name="metabase",
        title="Metabase",
        module="clients.metabase",
        settings="Metabase",
        shown_by=("dashboards", "dashboard", "DashboardCard.downloadUrl"),
        section="Metabase",
        config=MetabaseConfig,
        codes=(StatsFailure,),
    ),
)


def partner_pages(settings_rows: Callable[[str], str]) -> dict[Path, str]:
    """Return every page by its path. `settings_rows`: the table of one group of variables, without its head."""
    return {PARTNERS / f"{page.name}.md": "".join(_parts(page, settings_rows)) for page in _PAGES}


def _parts(page: _Page, settings_rows: Callable[[str], str]) -> Iterator[str]:
    yield f"{_HEAD}\n# {page.title}\n\n{importlib.import_module(page.module).__doc__ or ''}".rstrip() + "\n"
    yield f"\nShown by {', '.join(f'`{name}`' for name in page.shown_by)}: see the\n[tour](../../tutorial/tour.md).\n"
    yield "\n## Settings\n\n| variable | value | default | what it decides |\n| --- | --- | --- | --- |\n"
    yield settings_rows(page.settings)
    if page.config is not None:
        yield "\n## Bounds of a call\n\nUnless a setting says otherwise.\n\n| bound | value |\n| --- | --- |\n"
        yield from (f"| {name} | {value} |\n" for name, value in _bounds(page.config))
    yield from _codes(page)
    policies = _policies(page.service)
    if policies:
        yield "\n## What is remembered\n\n"
        yield "| look-up | served without asking | while it cannot be asked | that there is none |\n"
        yield "| --- | --- | --- | --- |\n"
        yield from (
            f"| `{each.name}` | {_time(each.fresh)} | {_time(each.stale)} | {_time(each.nothing)} |\n"
            for each in policies
        )
    yield f"\n## In the sandbox\n\n{_simulated(page.section)}\n"


def _bounds(config: type[Any]) -> Iterator[tuple[str, str]]:
    for field in fields(config):
        factory: Any = field.default_factory
        default: Any = factory() if callable(factory) else field.default
        words = field.name.replace("_", " ")
        if isinstance(default, BreakerPolicy):
            yield words, f"opens after {default.failures} failures in a row, for {_number(default.open_seconds)} s"
        elif is_dataclass(default):
            for part in fields(default):
                yield f"{words}: {part.name.replace('_', ' ')}", _number(getattr(default, part.name))
        elif isinstance(default, int | float) and not isinstance(default, bool):
            yield words, _number(default)


def _codes(page: _Page) -> Iterator[str]:
    if page.codes:
        yield "\n## What an answer comes to\n"
    for enum in page.codes:
        yield f"\n{_spaced(enum.__name__)}: {', '.join(f'`{member.value}`' for member in enum)}.\n"
    if page.name == "france-travail":
        for endpoint in Endpoint:
            yield f"\n| exit code of `{endpoint.value}` | label shown to people |\n| --- | --- |\n"
            yield from (f"| `{code}` | {label} |\n" for code, label in labels_of(endpoint).items())


def _policies(service: object) -> list[LookupPolicy]:
    if service is None:
        return []
    values = cast("Mapping[str, object]", vars(service)).values()
    return [cast("Lookup[Any, Any]", value).policy for value in values if isinstance(value, Lookup)]


def _simulated(section: str) -> str:
    """The partner's section of the sandbox's own page."""
    text = _SANDBOX.read_text(encoding="utf-8")
    found = next(part for part in text.split("\n## ")[1:] if part.startswith(section))
    return found.partition("\n")[2].strip()


def _time(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    return next(
        (f"{seconds // size} {unit}" for unit, size in _UNITS.items() if seconds and not seconds % size), "never"
    )


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.4g}" if value != int(value) else f"{int(value):,}"


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
