"""Events of appointments, one by one: whom they concern, what they change, what subscribers are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from models import Appointment, AppointmentVersion, Location, Participation, WebhookEvent
from models.database import counting_statements
from services.webhooks.outcomes import Applied, Failed, Ignored, Unmatched
from tests.factories import NOW, make_company, make_job_seeker
from tests.integration.services.rdv_events import (
    ORGANISATION,
    PLACE,
    START,
    Setting,
    apply,
    apply_all,
    ask_to_come,
    event_body,
    keep,
    make_setting,
    moment,
    next_number,
    part,
    rdv,
    shown,
    shown_parts,
    told,
)

CREATED = ("created", None, None)
UPDATED = ("updated", None, None)


@pytest.fixture
async def setting(database: object) -> Setting:
    return await make_setting(2)


# -- whom it concerns


async def test_only_people_whom_this_company_invited_take_part(setting: Setting):
    elsewhere = await make_company(rdv_solidarites_id=655)
    await ask_to_come(await make_job_seeker(), elsewhere, 1)

    outcome = await apply(rdv(1, users=(1, 2, 3)))

    assert outcome == Applied()
    assert list(await shown_parts(1)) == [setting.people[2].id]
    assert (await Appointment.get(rdv_insertion_id=1)).company_id == setting.company.id


async def test_nothing_is_kept_of_an_appointment_where_nobody_was_invited(setting: Setting):
    outcome = await apply(rdv(1, users=(1, 3)))

    assert outcome == Unmatched("nobody_invited")
    assert await Appointment.all().count() + await Location.all().count() + await Participation.all().count() == 0
    assert await told() == []


@pytest.mark.parametrize("organisation", [9999, None])
async def test_an_organisation_that_no_company_names_is_unmatched(setting: Setting, organisation: int | None):
    outcome = await apply(rdv(1, organisation=organisation))

    assert outcome == Unmatched("unknown_organisation")
    assert await shown(1) is None


async def test_a_person_invited_several_times_takes_part_once(setting: Setting):
    await ask_to_come(setting.people[2], setting.company, 2)
    await ask_to_come(setting.people[2], setting.company, 3)

    await apply(rdv(1, users=(2, 3), statuses={2: "unknown", 3: "seen"}))

    [found] = (await shown_parts(1)).values()
    assert (found.status, found.number) == ("seen", 10_003)  # the part that was made last speaks for the person


async def test_two_of_our_accounts_that_are_one_person_there_both_take_part(setting: Setting):
    twin = await make_job_seeker()
    await ask_to_come(twin, setting.company, 2)

    await apply(rdv(1, statuses={2: "seen"}))

    parts = await shown_parts(1)
    assert set(parts) == {setting.people[2].id, twin.id}
    assert {found.number for found in parts.values()} == {10_002}


async def test_a_person_invited_after_the_event_takes_part_once_it_is_looked_at_again(setting: Setting):
    body = rdv(1, users=(2, 3))
    await apply(body)
    late = await make_job_seeker()
    await ask_to_come(late, setting.company, 3)

    outcome = await apply(body)

    assert outcome == Applied()
    assert set(await shown_parts(1)) == {setting.people[2].id, late.id}
    assert (await told())[2:] == [UPDATED, (None, None, "unknown")]


async def test_an_unmatched_event_is_applied_once_its_person_is_invited(setting: Setting):
    body = rdv(1, "created", users=(3,))
    first = await apply(body)
    late = await make_job_seeker()
    await ask_to_come(late, setting.company, 3)

    second = await apply(body)

    assert (first, second) == (Unmatched("nobody_invited"), Applied())
    assert set(await shown_parts(1)) == {late.id}
    assert await told() == [CREATED, (None, None, "unknown")]


async def test_an_unmatched_event_is_applied_once_its_company_is_known(setting: Setting):
    body = rdv(1, organisation=777)
    await apply(body)
    newcomer = await make_setting(2, organisation=777)

    outcome = await apply(body)

    assert outcome == Applied()
    assert set(await shown_parts(1)) == {newcomer.people[2].id}


async def test_an_appointment_stays_with_its_company_when_the_number_moves_to_another(setting: Setting):
    await apply(rdv(1))
    await setting.company.filter(id=setting.company.id).update(rdv_solidarites_id=None)
    await make_company(rdv_solidarites_id=ORGANISATION)

    outcome = await apply(rdv(1, at=1, statuses={2: "seen"}))

    assert outcome == Applied()
    assert (await Appointment.get(rdv_insertion_id=1)).company_id == setting.company.id
    assert (await shown_parts(1))[setting.people[2].id].status == "seen"


async def test_an_event_that_names_another_organisation_changes_nothing_and_raises_the_alarm(setting: Setting):
    await make_setting(2, organisation=655)
    await apply(rdv(1))
    before = await shown(1)

    with capture_logs() as logs:
        outcome = await apply(rdv(1, at=1, organisation=655, statuses={2: "seen"}))

    assert outcome == Failed("organisation_changed")
    assert await shown(1) == before
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("appointment_event_of_another_organisation", "error")
    ]


async def test_an_event_without_organisation_updates_what_is_already_known(setting: Setting):
    await apply(rdv(1))

    outcome = await apply(rdv(1, at=1, organisation=None, statuses={2: "seen"}))

    assert outcome == Applied()
    assert (await shown_parts(1))[setting.people[2].id].status == "seen"


async def test_an_organisation_that_only_an_older_event_told_is_remembered(setting: Setting):
    newest = rdv(1, at=5, organisation=None)
    await apply_all(newest, rdv(1, at=4, organisation=777))
    newcomer = await make_setting(2, organisation=777)

    outcome = await apply(newest)

    assert outcome == Applied()
    assert set(await shown_parts(1)) == {newcomer.people[2].id}
    assert newcomer.company.id != setting.company.id


# -- what it changes


async def test_an_appointment_is_kept_as_the_event_tells_it(setting: Setting):
    await apply(
        rdv(
            1,
            starts_at="2026-03-10T09:00:00.123+04:00",
            duration_in_min=45,
            max_participants_count=12,
            users_count=5,
            motif={"name": "Atelier", "collectif": True, "motif_category": {"short_name": "atelier_inconnu"}},
        )
    )

    found = await Appointment.get(rdv_insertion_id=1).select_related("location")
    assert moment(found.start_at) == "2026-03-10T05:00:00.123+00:00"
    assert (found.duration, found.reason, found.reason_category) == (
        timedelta(minutes=45),
        "Atelier",
        "atelier_inconnu",
    )
    assert (found.is_collective, found.total_participants, found.max_participants) == (True, 5, 12)
    assert found.location is not None
    assert (found.location.rdv_solidarites_id, found.location.name) == (1026, "Accueil")
    assert found.company_id == setting.company.id


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"participations": None}, "place", 1026),
        ({"participations": [None]}, "place", 1026),
        ({"lieu": None}, "place", None),
        ({"motif": {"name": "x", "motif_category": None}}, "reason", "x"),
        ({"address": None}, "address", ""),
        ({"status": None}, "source_status", "unknown"),
        ({"users": None, "statuses": {2: "unknown"}}, "place", 1026),
    ],
)
async def test_what_is_missing_costs_no_event(setting: Setting, changes: dict[str, Any], column: str, value: object):
    outcome = await apply(rdv(1, **changes))

    seen = await shown(1)
    assert outcome == Applied()
    assert seen is not None
    assert seen[column] == value
    assert set(seen["parts"]) == {setting.people[2].id}
    assert {found.status for found in seen["parts"].values()} == {"unknown"}


async def test_parts_that_are_absent_altogether_leave_a_person_whose_status_is_unknown(setting: Setting):
    body = rdv(1).replace(b'"participations"', b'"participations_of_another_version"')

    outcome = await apply(body)

    [found] = (await shown_parts(1)).values()
    assert outcome == Applied()
    assert (found.status, found.number) == ("unknown", None)
    assert set(await shown_parts(1)) == {setting.people[2].id}


async def test_a_place_that_many_appointments_share_shows_what_the_newest_event_says(setting: Setting):
    await apply(rdv(1, at=5, lieu=PLACE | {"name": "Nouvel accueil"}))

    await apply(rdv(2, at=3, lieu=PLACE | {"name": "Ancien accueil"}))
    await apply(rdv(3, at=4, lieu=None))

    [location] = await Location.all()
    assert location.name == "Nouvel accueil"
    assert (await Appointment.get(rdv_insertion_id=2)).location_id == location.id
    assert (await Appointment.get(rdv_insertion_id=3)).location_id is None


@pytest.mark.parametrize(
    ("word", "status", "cancelled_by"),
    [
        ("noshow", "absent", None),
        ("excused", "cancelled", "job_seeker"),
        ("revoked", "cancelled", "service"),
        ("seen", "seen", None),
        ("unknown", "unknown", None),
    ],
)
async def test_each_status_is_mapped_kept_and_can_be_taken_back(
    setting: Setting, word: str, status: str, cancelled_by: str | None
):
    await apply(rdv(1, statuses={2: "excused"}))

    await apply(rdv(1, at=1, statuses={2: word}))
    changed = (await shown_parts(1))[setting.people[2].id]
    await apply(rdv(1, at=2, statuses={2: "unknown"}))
    back = (await shown_parts(1))[setting.people[2].id]

    assert (changed.status, changed.cancelled_by, changed.source_status) == (status, cancelled_by, word)
    assert (back.status, back.cancelled_by, back.source_status) == ("unknown", None, "unknown")


async def test_a_person_who_is_no_longer_listed_no_longer_takes_part(setting: Setting):
    await apply(rdv(1))

    await apply(rdv(1, at=1, users=()))

    seen = await shown(1)
    assert seen is not None
    assert (seen["parts"], seen["total_participants"]) == ({}, 0)
    assert await Participation.filter(job_seeker=setting.people[2], removed_at=NOW).count() == 1
    assert (await told())[2:] == [UPDATED]


async def test_a_person_who_is_listed_again_takes_part_again_with_the_status_they_had(setting: Setting):
    await apply_all(rdv(1, statuses={2: "seen"}), rdv(1, at=1, users=()))

    await apply(rdv(1, at=2, participations=None))

    assert (await shown_parts(1))[setting.people[2].id].status == "seen"
    assert (await told())[-2:] == [UPDATED, (None, None, "seen")]


# -- what is not understood


@pytest.mark.parametrize("changes", [{"status": "postponed"}, {"participations": [part(2, "postponed")]}])
async def test_a_status_that_nobody_listed_fails_the_event_and_changes_nothing(
    setting: Setting,
    changes: dict[str, Any],
):
    await apply(rdv(1))
    before = await shown(1), await AppointmentVersion.get(rdv_insertion_id=1).values()

    with capture_logs() as logs:
        outcome = await apply(rdv(1, at=1, starts_at=moment(START + timedelta(days=1)), **changes))

    assert outcome == Failed("unlisted_status")
    assert (await shown(1), await AppointmentVersion.get(rdv_insertion_id=1).values()) == before
    assert logs == [
        {"event": "appointment_status_unlisted", "log_level": "error", "appointment": 1, "status": "postponed"}
    ]


async def test_a_status_that_is_no_code_is_not_logged(setting: Setting):
    with capture_logs() as logs:
        await apply(rdv(1, status="Zélie Inventée"))

    assert logs[0]["status"] == "not a code"
    assert "Inventée" not in str(logs)


async def test_the_unlisted_status_of_a_stranger_costs_ours_nothing(setting: Setting):
    outcome = await apply(rdv(1, users=(2, 3), statuses={2: "seen", 3: "postponed"}))

    assert outcome == Applied()
    assert (await shown_parts(1))[setting.people[2].id].status == "seen"


async def test_an_event_without_start_fails_and_says_where(setting: Setting):
    with capture_logs() as logs:
        outcome = await apply(rdv(1, starts_at="bientôt"))

    assert outcome == Failed("unreadable")
    assert logs[0]["where"] == "data.starts_at"


async def test_an_event_of_another_model_is_ignored(setting: Setting):
    outcome = await apply(event_body("Agent", "updated", {"id": 1}, at=0))

    assert outcome == Ignored("unsupported_model")


# -- destroyed


async def test_a_destroyed_appointment_is_gone_for_good(setting: Setting):
    await apply(rdv(1))

    gone, later, again = await apply_all(
        rdv(1, "destroyed", at=1), rdv(1, at=9, statuses={2: "seen"}), rdv(1, "destroyed", at=1)
    )

    assert (gone, later, again) == (Applied(), Ignored("destroyed"), Applied())
    assert await shown(1) is None
    assert (await told())[2:] == [("deleted", None, None)]


async def test_a_destroyed_appointment_that_was_never_heard_of_does_not_come_back(setting: Setting):
    gone = await apply(rdv(1, "destroyed", at=5))

    before, after = await apply_all(rdv(1, "created", at=1), rdv(1, at=9))

    assert (gone, before, after) == (Applied(), Ignored("destroyed"), Ignored("destroyed"))
    assert await Appointment.all().count() == 0
    assert await told() == []


async def test_a_destruction_is_remembered_while_nothing_of_the_appointment_is_matched(setting: Setting):
    gone = await apply(rdv(1, "destroyed", at=5, users=(3,)))
    await ask_to_come(setting.people[2], setting.company, 3)

    outcome = await apply(rdv(1, "updated", at=4, users=(3,)))

    assert (gone, outcome) == (Unmatched("nobody_invited"), Ignored("destroyed"))
    assert await shown(1) is None


async def test_a_destruction_needs_nothing_but_the_number(setting: Setting):
    await apply(rdv(1))

    outcome = await apply(event_body("Rdv", "destroyed", {"id": 1}, at=1))

    assert outcome == Applied()
    assert await shown(1) is None


# -- what subscribers are told


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"starts_at": moment(START + timedelta(hours=1))}, [("moved", None, None)]),
        ({"address": "7 rue Fictive"}, [UPDATED]),
        ({"status": "excused"}, [("cancelled", None, None)]),
        # One entry an event: the cancellation matters more than the hour.
        ({"status": "revoked", "starts_at": moment(START + timedelta(hours=1))}, [("cancelled", None, None)]),
        ({"statuses": {2: "seen"}}, [UPDATED, (None, "unknown", "seen")]),
        (
            {"statuses": {2: "excused"}, "status": "excused"},
            [("cancelled", None, None), (None, "unknown", "cancelled")],
        ),
        ({"participations": [part(2, "unknown", number=77)]}, []),  # a number that nobody sees
        ({"participations": None}, []),
        ({"users": [], "participations": []}, [UPDATED]),
    ],
)
async def test_each_change_is_told_by_its_kind(setting: Setting, changes: dict[str, Any], expected: list[Any]):
    await apply(rdv(1, "created"))

    await apply(rdv(1, at=1, **changes))

    assert (await told())[2:] == expected


async def test_the_first_event_known_creates_whatever_it_calls_itself(setting: Setting):
    await apply(rdv(1, "updated", status="excused", statuses={2: "excused"}))

    assert await told() == [CREATED, (None, None, "cancelled")]


async def test_a_cancellation_by_somebody_else_is_told_of_the_person_again(setting: Setting):
    await apply(rdv(1, statuses={2: "excused"}))

    await apply(rdv(1, at=1, statuses={2: "revoked"}))

    assert (await told())[2:] == [UPDATED, (None, "cancelled", "cancelled")]


async def test_a_part_that_did_not_change_keeps_the_time_of_its_last_change(setting: Setting):
    await apply(rdv(1), now=NOW - timedelta(hours=1))

    await apply(rdv(1, at=1, address="7 rue Fictive"))

    assert (await Participation.get(job_seeker=setting.people[2])).updated_at == NOW - timedelta(hours=1)


async def test_a_stale_event_changes_nothing_and_tells_nothing(setting: Setting):
    await apply(rdv(1, at=5, statuses={2: "seen"}))
    before = await shown(1)

    outcome = await apply(rdv(1, at=4, statuses={2: "noshow"}, address="7 rue Fictive"))

    assert outcome == Ignored("stale")
    assert await shown(1) == before
    assert await told() == [CREATED, (None, None, "seen")]


async def test_what_the_newest_event_left_unsaid_is_told_by_an_older_one(setting: Setting):
    await apply(rdv(1, at=5, participations=None))

    outcome = await apply(rdv(1, at=4, statuses={2: "seen"}))

    assert outcome == Applied()
    assert (await shown_parts(1))[setting.people[2].id].status == "seen"
    assert (await told())[2:] == [UPDATED, (None, "unknown", "seen")]


async def test_an_appointment_whose_last_state_came_first_and_named_nobody_is_kept_with_that_state(setting: Setting):
    newest = rdv(1, at=5, users=(), address="7 rue Fictive")

    first, second = await apply_all(newest, rdv(1, at=4))

    seen = await shown(1)
    assert (first, second) == (Unmatched("nobody_invited"), Applied())
    assert seen is not None
    assert (seen["parts"], seen["address"]) == ({}, "7 rue Fictive")


async def test_nothing_is_made_of_an_older_event_once_the_body_of_the_newest_was_purged(setting: Setting):
    await apply(rdv(1, at=5, users=()))
    await WebhookEvent.all().update(body=None, status="unmatched", processed_at=NOW)

    outcome = await apply(rdv(1, at=4))

    assert outcome == Ignored("stale")
    assert await shown(1) is None


# -- what it costs


async def test_an_event_of_fifty_people_costs_as_many_statements_as_one_of_one(database: object):
    users = range(1, 51)
    await make_setting(*users)
    one, fifty = next_number() + 1000, next_number() + 1000
    counts: dict[str, tuple[int, int]] = {}
    for name, at, word in (("created", 0, "unknown"), ("statuses", 1, "seen"), ("same", 2, "seen")):
        spent: list[int] = []
        for number, listed in ((one, (1,)), (fifty, users)):
            body = rdv(number, at=at, users=listed, statuses=dict.fromkeys(listed, word))
            await keep(body)
            async with counting_statements() as counter:
                await apply(body)
            spent.append(counter.statements - 2)  # its place in the inbox and the lock
        counts[name] = (spent[0], spent[1])

    # The place is written for the first of them only.
    assert counts == {"created": (6, 5), "statuses": (4, 4), "same": (3, 3)}
