"""Surveys after a hiring: offered and mailed when it is accepted, asked for by those whom they concern, answered at
Tally, where the answers stay.
"""

from services.surveys.answers import apply_answer, link_late_answers
from services.surveys.links import survey_url
from services.surveys.plan import SurveyPlan
from services.surveys.requesting import SurveySent, request_survey
from services.surveys.sending import offer_and_send
from services.surveys.statistics import KindStatistics, survey_statistics

__all__ = [
    "KindStatistics",
    "SurveyPlan",
    "SurveySent",
    "apply_answer",
    "link_late_answers",
    "offer_and_send",
    "request_survey",
    "survey_statistics",
    "survey_url",
]
