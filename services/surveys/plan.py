"""What is surveyed: which form for which kind, how long after a hiring, and whether mails leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from clients.tally import TallyForms
from models.enums import SurveyKind

DEFAULT_LOOKBACK = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyPlan:
    """There is none of these while the forms have no address: surveys are off then."""

    forms: TallyForms
    # A kind without a form is not offered.
    form_ids: Mapping[SurveyKind, str] = field(default_factory=dict[SurveyKind, str])
    # From the acceptance to the mail that nobody has to ask for.
    delays: Mapping[SurveyKind, timedelta] = field(default_factory=dict[SurveyKind, timedelta])
    # Hirings that were accepted, and mails that were due, before so long are left alone: whoever turns surveys on, or
    # comes back after months, does not write to everybody who was ever hired.
    lookback: timedelta = DEFAULT_LOOKBACK
    sends_mails: bool = False

    @property
    def kinds_by_form(self) -> dict[str, SurveyKind]:
        return {form_id: kind for kind, form_id in self.form_ids.items()}

    def delay(self, kind: SurveyKind) -> timedelta:
        return self.delays.get(kind, timedelta(0))
