"""Write the reference pages that the code knows best: `python -m docs.generate`, with `--check` to compare only."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, cast

from benchmarks.page import performance_page
from benchmarks.results import read_report
from docs.limits_page import limits_page
from docs.partner_pages import partner_pages
from settings import Secret, Settings, SettingsError, Variable, load_settings, variables_of  # noqa: TID251 (this page describes them)
from settings.variables import number_text  # noqa: TID251

_REFERENCE = Path(__file__).parent / "reference"
SETTINGS_PAGE = _REFERENCE / "settings.md"
LIMITS_PAGE = _REFERENCE / "limits.md"

# A variable belongs to the first group whose prefix it has; what belongs to none is general.
_GROUPS = (
    ("Keys", ("SECRET_", "ENCRYPTION_", "FINGERPRINT_")),
    ("Engines", ("DATABASE_", "REDIS_")),
    ("Identity of callers", ("AUTH_", "PARTNER_")),
    ("WebSockets and event streams", ("GRAPHQL_SOCKET_", "GRAPHQL_STREAM")),
    ("Metrics", ("METRICS_",)),
    ("Limits of an operation", ("GRAPHQL_", "REQUEST_")),
    ("Limits of a client", ("RATE_LIMIT_",)),
    ("France Travail", ("FT_",)),
    ("API Particulier", ("API_PARTICULIER_",)),
    ("Base Adresse Nationale", ("BAN_",)),
    ("API Géo", ("API_GEO_",)),
    ("INSEE's Sirene", ("SIRENE_",)),
    ("data·inclusion", ("DATA_INCLUSION_",)),
    ("RDV-Insertion", ("RDV_",)),
    ("Mails and Diagoriente", ("SMTP_", "MAIL_", "PUBLIC_", "DIAGORIENTE_")),
    ("Tally", ("TALLY_",)),
    ("Metabase", ("METABASE_",)),
    ("Announcing approvals and certifying identities", ("PASS_IAE_", "CERTIFICATION_", "NOTIFICATION_")),
)
_GENERAL = "The process"

_HEAD = """\
<!-- Written by `python -m docs.generate` from settings/deployment.py: edit the descriptions there. -->

# Settings

Everything is read from the environment, once, when a process starts. A wrong value stops the start with one sentence
that names its variable; a variable that is set to nothing counts as not set. Durations are in seconds, lists are
separated by commas. Secrets, and URLs that may hold one, never show in logs or errors.

A partner whose variables are not set is off: its fields answer so, its jobs do nothing. Its variables are set all or
none. In production (`ENVIRONMENT=production`) the variables marked **required** must be set, every URL of a partner or
of the identity provider must be `https://`, and development keys are refused.
"""


def settings_page() -> str:
    """Return the page on settings, as it must be committed."""
    required = _required_in_production()
    groups: dict[str, list[str]] = {_GENERAL: [], **{title: [] for title, _ in _GROUPS}}
    for one in variables_of(Settings).values():
        groups[_group_of(one.name)].append(_row(one, required=one.name in required))
    parts = [_HEAD]
    for title, rows in groups.items():
        if rows:
            parts.append(
                f"\n## {title}\n\n| variable | value | default | what it decides |\n| --- | --- | --- | --- |\n"
            )
            parts.extend(rows)
    return "".join(parts)


def settings_rows(group: str) -> str:
    """Return the rows of one group of variables."""
    required = _required_in_production()
    return "".join(
        _row(one, required=one.name in required)
        for one in variables_of(Settings).values()
        if _group_of(one.name) == group
    )


def _group_of(variable: str) -> str:
    return next((title for title, prefixes in _GROUPS if variable.startswith(prefixes)), _GENERAL)


def _required_in_production() -> frozenset[str]:
    """Ask the settings themselves: start in production with nothing else and see what they miss."""
    try:
        load_settings({"ENVIRONMENT": "production"})
    except SettingsError as refusal:
        return frozenset(line.partition(":")[0] for line in str(refusal).splitlines())
    return frozenset()


def _row(one: Variable, *, required: bool) -> str:
    description = one.rules.description.replace("|", "\\|")
    if required:
        description += ". **Required** in production"
    return f"| `{one.name}` | {_value(one)} | {_default(one)} | {description} |\n"


def _value(one: Variable) -> str:
    words = _words(one)
    return f"{words}, {one.rules.limits}" if one.rules.limits else words


def _words(one: Variable) -> str:
    if one.is_list:
        return "secrets" if one.is_secret else "list"
    if issubclass(one.kind, Enum):
        return "one of its names"
    names = {str: "text", Secret: "secret", int: "whole number", float: "number", bool: "true or false"}
    return "seconds" if one.kind is timedelta else names[one.kind]


def _default(one: Variable) -> str:
    default: Any = one.default
    if default is None or default == ():
        return "none"
    if isinstance(default, Secret):
        return "a development value"
    if isinstance(default, timedelta):
        return f"`{number_text(default.total_seconds())}`"
    if isinstance(default, tuple):
        return f"`{','.join(cast('tuple[str, ...]', default))}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{number_text(default)}`" if isinstance(default, (int, float)) else f"`{default}`"


def _measured_pages() -> dict[Path, str]:
    """What the last whole run of the benchmarks found, in the words and with the targets of today."""
    report = read_report(_REFERENCE / "performance.json")
    return {} if report is None else {_REFERENCE / "performance.md": performance_page(report)}


def main(arguments: list[str] | None = None) -> int:
    """Write the pages. With `--check`: return 1, and say what to do, when a committed page is not the one written."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is out of date")
    only_check: bool = parser.parse_args(arguments).check
    pages = (
        {SETTINGS_PAGE: settings_page(), LIMITS_PAGE: limits_page()} | partner_pages(settings_rows) | _measured_pages()
    )
    stale = [path for path, page in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != page]
    for path in stale:
        if only_check:
            sys.stderr.write(f"{path.name}: not what the code says; run `python -m docs.generate`\n")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(pages[path], encoding="utf-8")
    return int(only_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
