"""The partner errors: what they say, and that they survive the ways errors travel."""

import copy
import pickle
from collections.abc import Callable

import pytest

from clients.api_particulier import ApiParticulierMisconfigured, IncompleteIdentity
from clients.data_inclusion import DataInclusionMisconfigured
from clients.errors import Delivery, PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.france_travail import Endpoint, FranceTravailConfigurationError, FranceTravailRejected, SearchOutcome
from clients.metabase import MetabaseRejected, StatsFailure


def with_request_id(error: ApiParticulierMisconfigured) -> ApiParticulierMisconfigured:
    error.request_id, error.provider = "3f1c-42", "CNAV"
    return error


def pickled(error: PartnerError) -> PartnerError:
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes


ERRORS: list[PartnerError] = [
    PartnerUnavailable("ban", "geocode", "the connection broke", code="http_error", delivery=Delivery.UNKNOWN),
    PartnerRateLimited("ban", "geocode", "too fast", code="429", http_status=429, retry_after=5.0),
    PartnerRejected("sirene", "establishment", "the partner refused the request", code="404", http_status=404),
    FranceTravailConfigurationError(error="invalid_client", http_status=400),
    FranceTravailRejected(endpoint=Endpoint.SEARCH, code="S002", outcome=SearchOutcome.AMBIGUOUS, http_status=200),
    with_request_id(ApiParticulierMisconfigured("api_particulier", "certify_rsa", "wrong", code="00103")),
    IncompleteIdentity(operation="certify_rsa", fields=frozenset({"title"})),
    DataInclusionMisconfigured("data_inclusion", "list_sources", "token refused", code="401", http_status=401),
    MetabaseRejected(failure=StatsFailure.MISCONFIGURED, code="locked_filter", filter_name="x", needs_operator=True),
]


@pytest.mark.parametrize("error", ERRORS, ids=[type(error).__name__ for error in ERRORS])
@pytest.mark.parametrize("travel", [copy.copy, pickled])
def test_an_error_keeps_all_its_fields_when_copied_or_pickled(
    error: PartnerError, travel: Callable[[PartnerError], PartnerError]
):
    arrived = travel(error)

    assert type(arrived) is type(error)
    assert vars(arrived) == vars(error)
    assert str(arrived) == str(error)


def test_the_text_names_partner_operation_code_status_and_what_became_of_the_request():
    error = PartnerRateLimited(
        "ban", "geocode", "the partner asks for fewer calls", code="429", http_status=429, retry_after=5.0
    )

    assert str(error) == ("ban geocode: the partner asks for fewer calls (code 429, retry after 5 s, delivery unknown)")


def test_a_rejection_says_by_itself_that_the_request_took_no_effect():
    assert PartnerRejected("ban", "geocode", "no").delivery is Delivery.REFUSED


def test_an_unexplained_failure_counts_as_maybe_delivered():
    assert PartnerUnavailable("ban", "geocode", "broke").delivery is Delivery.UNKNOWN


@pytest.mark.parametrize(
    ("error", "may_work_later"),
    [(ERRORS[0], True), (ERRORS[1], True), (ERRORS[2], False), (ERRORS[3], True), (ERRORS[4], False)],
)
def test_every_error_answers_whether_the_same_call_may_work_later(error: PartnerError, may_work_later: bool):
    assert isinstance(error, PartnerUnavailable) is may_work_later
    assert isinstance(error, PartnerRejected) is not may_work_later
