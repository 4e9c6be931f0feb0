"""How many surveys were sent and answered in a period. Counts of rows: whoever answered is nobody here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from models.database import fetch_all
from models.enums import SurveyKind

# Days of Europe/Paris, both included.
_FROM = "coalesce($1::date::timestamp AT TIME ZONE 'Europe/Paris', '-infinity')"
_UNTIL = "coalesce(($2::date + 1)::timestamp AT TIME ZONE 'Europe/Paris', 'infinity')"
_SENT = f"survey.sent_at >= {_FROM} AND survey.sent_at < {_UNTIL}"
_ANSWERED = f"survey.answered_at >= {_FROM} AND survey.answered_at < {_UNTIL}"
# A survey belongs to the department of the company that hired or, about prescribers, of the organisation that sent.
_LINKED = f"""
SELECT survey.kind,
    count(*) FILTER (WHERE {_SENT}) AS sent,
    count(*) FILTER (WHERE {_SENT} AND survey.answered_at IS NOT NULL) AS answered_of_sent,
    count(*) FILTER (WHERE {_ANSWERED}) AS answered,
    0 AS unlinked
FROM survey
LEFT JOIN job_application a ON a.id = survey.job_application_id
LEFT JOIN company c ON c.id = a.company_id AND survey.kind <> '{SurveyKind.PRESCRIBER_SATISFACTION.value}'
LEFT JOIN prescriber_organization o
    ON o.id = a.sender_prescriber_organization_id AND survey.kind = '{SurveyKind.PRESCRIBER_SATISFACTION.value}'
WHERE ({_SENT} OR {_ANSWERED}) AND ($3::text[] IS NULL OR coalesce(c.department, o.department) = ANY($3))
GROUP BY survey.kind
"""
_UNLINKED = f"""
SELECT kind, 0, 0, count(*), count(*) FROM unlinked_survey_answer
WHERE answered_at >= {_FROM} AND answered_at < {_UNTIL} AND ($3::text[] IS NULL OR department = ANY($3))
GROUP BY kind
"""
_STATISTICS = f"""
SELECT kind, sum(sent)::int AS sent, sum(answered_of_sent)::int AS answered_of_sent, sum(answered)::int AS answered,
    sum(unlinked)::int AS unlinked
FROM ({_LINKED} UNION ALL {_UNLINKED}) AS counted GROUP BY kind
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindStatistics:
    """One kind of survey in one period. `answered` holds the `unlinked` ones, which name no survey of ours."""

    kind: SurveyKind
    sent: int = 0
    answered: int = 0
    unlinked: int = 0
    answered_of_sent: int = 0

    @property
    def answer_rate(self) -> float | None:
        """Of the surveys sent in the period, the part that has been answered since; None when none was sent."""
        return self.answered_of_sent / self.sent if self.sent else None


async def survey_statistics(
    first_day: date | None, last_day: date | None, *, departments: Sequence[str] | None
) -> list[KindStatistics]:
    """Return one count a kind, in the order of the kinds, zeros included. Days of Europe/Paris, both included.

    `departments`: only those; None is everywhere. An answer without a survey counts in the department that its link
    named. One SQL statement.
    """
    rows = await fetch_all(_STATISTICS, first_day, last_day, list(departments) if departments is not None else None)
    found = {row["kind"]: row for row in rows}
    return [
        KindStatistics(kind=kind, **{name: value for name, value in found[kind.value].items() if name != "kind"})
        if kind.value in found
        else KindStatistics(kind=kind)
        for kind in SurveyKind
    ]
