"""One second attempt: after what, how long after, and never a third."""

import pytest

from clients.errors import ErrorCode, PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.repeat import Repeat, with_one_repeat

PATIENT = Repeat(failure_pause_seconds=0.5, patience_seconds=5)
HASTY = Repeat(failure_pause_seconds=0.5)
NEVER = Repeat()


def unavailable(*, code: str | None = None, status: int | None = None, retry_after: float | None = None):
    return PartnerUnavailable("p", "o", "invented", code=code, http_status=status, retry_after=retry_after)


def rate_limited(retry_after: float):
    return PartnerRateLimited("p", "o", "invented", code="429", http_status=429, retry_after=retry_after)


@pytest.mark.parametrize(
    ("repeat", "error", "pause"),
    [
        (PATIENT, unavailable(code=ErrorCode.HTTP_ERROR), 0.5),
        (PATIENT, unavailable(code=ErrorCode.HTTP_ERROR, status=200), 0.5),
        (PATIENT, unavailable(code="500", status=500), 0.5),
        (PATIENT, unavailable(code="503", status=503, retry_after=3), 3),
        (PATIENT, unavailable(code="503", status=503, retry_after=6), None),
        (HASTY, unavailable(code="503", status=503, retry_after=3), None),
        (NEVER, unavailable(code="500", status=500), None),
        (NEVER, unavailable(code=ErrorCode.HTTP_ERROR), None),
        (PATIENT, rate_limited(5), 5),
        (PATIENT, rate_limited(0), 0),
        (PATIENT, rate_limited(6), None),
        (HASTY, rate_limited(0), None),
        (PATIENT, unavailable(code=ErrorCode.BUSY), None),
        (PATIENT, unavailable(code=ErrorCode.BREAKER_OPEN, retry_after=1), None),
        (PATIENT, unavailable(code=ErrorCode.INVALID_JSON, status=200), None),
        (PATIENT, unavailable(code=ErrorCode.UNEXPECTED_SHAPE, status=200), None),
        (PATIENT, unavailable(code=ErrorCode.TOO_LARGE, status=200), None),
        (PATIENT, unavailable(code="401", status=401), None),
    ],
)
def test_what_is_worth_a_second_attempt_and_after_how_long(
    repeat: Repeat, error: PartnerUnavailable, pause: float | None
):
    assert repeat.pause_after(error) == pause


class Partner:
    """Gives its answers in turn."""

    def __init__(self, *answers: str | PartnerError) -> None:
        self.answers = list(answers)
        self.pauses: list[float] = []

    async def attempt(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, PartnerError):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def test_an_answer_is_returned_without_a_pause():
    partner = Partner("first", "second")

    assert await with_one_repeat(partner.attempt, PATIENT, sleep=partner.sleep) == "first"

    assert partner.pauses == []


async def test_the_second_attempt_is_the_last_and_its_error_counts():
    partner = Partner(rate_limited(2), unavailable(code="502", status=502), "third")

    with pytest.raises(PartnerUnavailable) as caught:
        await with_one_repeat(partner.attempt, PATIENT, sleep=partner.sleep)

    assert (caught.value.code, caught.value.__context__) == ("502", None)
    assert partner.pauses == [2]
    assert partner.answers == ["third"]


async def test_a_refusal_is_not_repeated():
    partner = Partner(PartnerRejected("p", "o", "invented"), "second")

    with pytest.raises(PartnerRejected):
        await with_one_repeat(partner.attempt, PATIENT, sleep=partner.sleep)

    assert partner.answers == ["second"]
