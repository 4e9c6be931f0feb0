"""The approvals that the demo announces while one watches: who they are about, and how each should end.

Names that mean something to the sandbox are played by the very people of its cast, NIR included: so their fate holds
when the sandbox was restarted and the identifier is already known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from uuid import UUID

from demo.cast import notifications, well_known
from demo.cast.applications import SIAE_KINDS
from demo.cast.dice import Calendar, Dice
from demo.cast.hirings import Hirer, Hiring, cancel
from demo.cast.identifiers import demo_id, make_email
from demo.cast.notifications import Outcome
from demo.cast.organizations import Organizations
from demo.cast.people import JOB_SEEKERS, JobSeeker, make_job_seeker, make_known
from demo.cast.rows import CompanyRow, NotificationAttemptRow
from demo.cast.world import SimulatedWorld
from models.enums import (
    CompanyKind,
    Delivery,
    JobApplicationState,
    LackOfNirReason,
    NotificationEndpoint,
    NotificationStatus,
    Title,
)

_NOT_FOUND_BEFORE = Outcome(
    status=NotificationStatus.ERROR,
    endpoint=NotificationEndpoint.RECHERCHE_INDIVIDU,
    exit_code="S000",
    http_status=200,
    delivery=Delivery.NOT_SENT,
)


class Twist(Enum):
    """What is particular about a role, besides the name."""

    NONE = auto()
    ALREADY_KNOWN = auto()  # the identifier is there: only the update is called
    ANSWER_LOST = auto()  # the attempt before got no answer, and may have been heard
    CERTIFIED_SINCE = auto()  # was not found then, is certified now
    STARTS_LATER = auto()
    NO_NIR = auto()
    NOT_HIRED = auto()
    UNKNOWN_KIND = auto()
    CANCELLED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One approval of the story. `last_name`: somebody of the sandbox's cast; None: an ordinary person."""

    key: str
    before: NotificationStatus
    expected: NotificationStatus
    expected_code: str | None = None
    last_name: str | None = None
    twist: Twist = Twist.NONE

    @property
    def approval_id(self) -> UUID:
        return demo_id("approval", f"story-{self.key}")

    @property
    def is_cancellation(self) -> bool:
        return self.twist is Twist.CANCELLED

    @property
    def subject_id(self) -> UUID:
        """The row that is announced: the approval, or its cancellation."""
        return demo_id("cancelled_approval", self.approval_id) if self.is_cancellation else self.approval_id

    @property
    def can_be_played_again(self) -> bool:
        """A cancellation is told once, and a lost answer explains "already there" only while the dates are the same."""
        return self.twist not in (Twist.CANCELLED, Twist.ANSWER_LOST)


_PENDING, _READY, _SHOULD_RETRY, _ERROR, _SUCCESS = (
    NotificationStatus.PENDING,
    NotificationStatus.READY,
    NotificationStatus.SHOULD_RETRY,
    NotificationStatus.ERROR,
    NotificationStatus.SUCCESS,
)


def _ordinary(prefix: str, number: int, before: NotificationStatus, twist: Twist = Twist.NONE) -> list[Role]:
    return [
        Role(key=f"{prefix}-{position}", before=before, expected=_SUCCESS, twist=twist)
        for position in range(1, number + 1)
    ]


def _of_the_cast(last_name: str, expected: NotificationStatus, code: str | None = None, **more: Twist) -> Role:
    return Role(
        key=last_name.lower(), last_name=last_name, before=_PENDING, expected=expected, expected_code=code, **more
    )


ROLES: tuple[Role, ...] = (
    *_ordinary("ready", 6, _READY),
    *_ordinary("ready-known", 4, _READY, Twist.ALREADY_KNOWN),
    *_ordinary("pending", 6, _PENDING),
    *_ordinary("pending-known", 4, _PENDING, Twist.ALREADY_KNOWN),
    *_ordinary("retry", 4, _SHOULD_RETRY, Twist.ALREADY_KNOWN),
    _of_the_cast("Clairval", _SUCCESS),
    _of_the_cast("Quesnoy-Perrin", _SUCCESS),
    _of_the_cast("Ancien-Trouve", _SUCCESS),
    _of_the_cast("Personne", _ERROR, "S000"),
    _of_the_cast("Foule", _ERROR, "S002"),
    _of_the_cast("Sansnir", _ERROR, "R010"),
    _of_the_cast("Ancien-Absent", _ERROR, "PE004"),
    _of_the_cast("Ancien-Double", _ERROR, "PE008"),
    _of_the_cast("Sansnumero", _ERROR, "empty_nir"),
    _of_the_cast("Refuse", _ERROR, "S022"),
    _of_the_cast("Radie", _ERROR, "S008"),
    _of_the_cast("Technique", _ERROR, "E_ERR_D98_D_PR_PROBLEME_TECHNIQUE"),
    _of_the_cast("Muet", _ERROR, "missing_code"),
    Role(
        key="doublon",
        last_name="Doublon",
        before=_SHOULD_RETRY,
        expected=_SUCCESS,
        twist=Twist.ANSWER_LOST,
    ),
    *(
        Role(key=f"revived-{number}", before=_ERROR, expected=_SUCCESS, twist=Twist.CERTIFIED_SINCE)
        for number in (1, 2)
    ),
    Role(key="kind", before=_PENDING, expected=_ERROR, expected_code="INVALID_SIAE_KIND", twist=Twist.UNKNOWN_KIND),
    Role(key="later", before=_PENDING, expected=_PENDING, twist=Twist.STARTS_LATER),
    Role(key="no-nir", before=_PENDING, expected=_PENDING, twist=Twist.NO_NIR),
    Role(key="not-hired", before=_PENDING, expected=_PENDING, twist=Twist.NOT_HIRED),
    *_ordinary("cancelled", 2, _PENDING, Twist.CANCELLED),
)


@dataclass(slots=True)
class Story:
    job_seekers: list[JobSeeker] = field(default_factory=list[JobSeeker])
    hirings: list[Hiring] = field(default_factory=list[Hiring])
    attempts: list[NotificationAttemptRow] = field(default_factory=list[NotificationAttemptRow])


def build_story(calendar: Calendar, organizations: Organizations, world: SimulatedWorld) -> Story:
    dice = Dice("story")
    hirer = Hirer(calendar, organizations, dice)
    siae = [company for company in organizations.companies if company.kind in SIAE_KINDS]
    without_type = [company for company in organizations.companies if company.kind is CompanyKind.OPCS]
    demo_company = organizations.companies[well_known.DEMO_COMPANY - 1]
    story = Story()
    for position, role in enumerate(ROLES):
        job_seeker = _person(role, JOB_SEEKERS + position, calendar, world, dice)
        # Every other one where the demo's employer sees it.
        company = demo_company if position % 2 == 0 else dice.pick(siae)
        if role.twist is Twist.UNKNOWN_KIND:
            company = dice.pick(without_type)
        story.job_seekers.append(job_seeker)
        story.hirings.append(_hiring(role, job_seeker, company, hirer, dice))
        story.attempts += _past(role, story.hirings[-1], calendar, organizations, dice)
    return story


def _person(role: Role, number: int, calendar: Calendar, world: SimulatedWorld, dice: Dice) -> JobSeeker:
    job_seeker = make_job_seeker(number, calendar, dice)
    while not job_seeker.is_complete:
        job_seeker = make_job_seeker(number, calendar, dice)
    if role.last_name is not None:
        _become(job_seeker, role.last_name, world)
    if role.twist is Twist.NO_NIR:
        job_seeker.profile.nir = None
        job_seeker.profile.lack_of_nir_reason = LackOfNirReason.NO_NIR
    if role.twist in (Twist.ALREADY_KNOWN, Twist.ANSWER_LOST, Twist.CERTIFIED_SINCE, Twist.CANCELLED):
        make_known(job_seeker, world, calendar.now - timedelta(hours=2))
    else:
        # Not before the play does: the certification cron leaves people alone for a week.
        job_seeker.profile.pe_last_certification_attempt_at = calendar.now - timedelta(hours=3)
    return job_seeker


def _become(job_seeker: JobSeeker, last_name: str, world: SimulatedWorld) -> None:
    """Take the identity of somebody whom the sandbox knows, born where no country is."""
    person = world.person(last_name)
    user, profile = job_seeker.user, job_seeker.profile
    user.first_name, user.last_name = person.first_name, person.last_name
    user.title = Title.M if person.nir.startswith("1") else Title.MME
    user.email = make_email(person.first_name, person.last_name, job_seeker.number)
    profile.birthdate, profile.nir, profile.lack_of_nir_reason = person.birthdate, person.nir, None
    profile.birth_place = profile.birth_country = None


def _hiring(role: Role, job_seeker: JobSeeker, company: CompanyRow, hirer: Hirer, dice: Dice) -> Hiring:
    start_in_days = 9 if role.twist is Twist.STARTS_LATER else -dice.randint(1, 15)
    state = JobApplicationState.PRIOR_TO_HIRE if role.twist is Twist.NOT_HIRED else JobApplicationState.ACCEPTED
    return hirer.hire(f"story-{role.key}", job_seeker, company, start_in_days=start_in_days, state=state)


def _past(
    role: Role, hiring: Hiring, calendar: Calendar, organizations: Organizations, dice: Dice
) -> Sequence[NotificationAttemptRow]:
    """What happened before the curtain rises."""
    last_at = calendar.now - timedelta(minutes=dice.randint(20, 90))
    match role.twist:
        case Twist.CERTIFIED_SINCE:
            outcomes = [_NOT_FOUND_BEFORE]
        case Twist.ANSWER_LOST:
            outcomes = [notifications.UNANSWERED]
        case Twist.CANCELLED:
            outcomes = [notifications.ACCEPTED]
        case _:
            outcomes = [notifications.unavailable(dice)] if role.before is _SHOULD_RETRY else []
    attempts = [*notifications.attempts_of(hiring.approval, outcomes, last_at=last_at, dice=dice)] if outcomes else []
    if role.twist is Twist.CANCELLED:
        employer_id = organizations.members()[hiring.company.id][0]
        cancel(hiring, calendar.now - timedelta(minutes=5), by=employer_id)
    if role.before is _READY:
        hiring.approval.pe_notification_status = _READY
    return attempts
