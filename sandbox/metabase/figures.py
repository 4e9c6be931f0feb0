"""Invented figures behind the cards, limited to what a token lets see."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice
from typing import Any

from sandbox.metabase.dashboards import DEPARTMENT, REGION, Card, CardKind, Dashboard, DepartmentFormat

Row = dict[str, Any]
Locked = Mapping[str, frozenset[str]]

_MONTHS = 12
_REGIONS = {
    "Grand Est": {
        "08": "Ardennes",
        "10": "Aube",
        "51": "Marne",
        "52": "Haute-Marne",
        "54": "Meurthe-et-Moselle",
        "55": "Meuse",
        "57": "Moselle",
        "67": "Bas-Rhin",
        "68": "Haut-Rhin",
        "88": "Vosges",
    },
    "Île-de-France": {
        "75": "Paris",
        "77": "Seine-et-Marne",
        "78": "Yvelines",
        "91": "Essonne",
        "92": "Hauts-de-Seine",
        "93": "Seine-Saint-Denis",
        "94": "Val-de-Marne",
        "95": "Val-d'Oise",
    },
    "Auvergne-Rhône-Alpes": {"69": "Rhône", "38": "Isère"},
    "Hauts-de-France": {"59": "Nord", "62": "Pas-de-Calais"},
    "Corse": {"2A": "Corse-du-Sud"},
}


@dataclass(frozen=True, slots=True)
class _Group:
    """One line of a month: a department, or one of the ids that the token names."""

    label: str
    region: str
    weight: int


def rows_of(card: Card, locked: Locked, *, today: date, detail_rows: int = 0) -> list[Row]:
    """The rows of a card as raw values, oldest month first. Nothing in scope: no rows."""
    groups = list(_groups(card.dashboard, locked))
    column = "Département" if _is_by_department(card.dashboard) else "Identifiant"
    months = _last_months(today)
    match card.kind:
        case CardKind.MONTHS:
            return [
                {"Mois": month, "Candidatures": sum(_count(group, number) for group in groups)}
                for number, month in enumerate(months)
                if groups
            ]
        case CardKind.TOTAL:
            total = sum(_count(group, number) for group in groups for number in range(len(months)))
            return [{"Candidatures": total}] if groups else []
        case CardKind.SHARES:
            return [
                {column: group.label, "Candidatures": sum(_count(group, number) for number in range(len(months)))}
                for group in groups
            ]
        case CardKind.DETAIL:
            rows: list[Row] = [
                {"Mois": month, column: group.label, "Région": group.region, "Candidatures": _count(group, number)}
                for number, month in enumerate(months)
                for group in groups
            ]
            return list(islice(cycle(rows), detail_rows)) if len(rows) < detail_rows else rows


def _groups(dashboard: Dashboard, locked: Locked) -> Iterator[_Group]:
    if not _is_by_department(dashboard):
        for ids in locked.values():
            yield from (_Group(id_, "", sum(id_.encode()) % 90) for id_ in sorted(ids))
        return
    for region, departments in _REGIONS.items():
        for code, name in departments.items():
            label = f"{code} - {name}" if dashboard.department_format is DepartmentFormat.NAME else code
            # A filter that is not in the token, or empty, lets everything pass: so does the real one.
            wanted = locked.get(DEPARTMENT) or {label}
            if label in wanted and region in (locked.get(REGION) or {region}):
                yield _Group(label, region, sum(code.encode()) % 90)


def _is_by_department(dashboard: Dashboard) -> bool:
    return DEPARTMENT in dashboard.locked or not dashboard.locked


def _count(group: _Group, month: int) -> int:
    return 200 + group.weight * 3 + month * 17 % 50


def _last_months(today: date) -> list[str]:
    """The first days of the last whole months."""
    this_month = today.year * 12 + today.month - 1
    months = range(this_month - _MONTHS, this_month)
    return [date(month // 12, month % 12 + 1, 1).isoformat() for month in months]
