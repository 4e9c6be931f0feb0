"""What the database itself writes into the log of approvals, whoever changes them and however."""

from __future__ import annotations

import asyncio

import pytest

from models import Approval, ApprovalEvent, CancelledApproval
from models.database import DatabaseConfig, transaction
from models.enums import NotificationStatus
from services.approvals import cancel_approval
from tests.factories import NOW, make_approval
from tests.integration.locks import ADVISORY_LOCKS, WAITING_FOR_A_LOCK
from tests.integration.models.conftest import RawSQL, connected
from tests.waiting import until

Status = NotificationStatus


async def logged() -> list[Approval]:
    events = await ApprovalEvent.all().order_by("position").select_related("approval")
    return [event.approval for event in events]


async def test_another_status_is_logged_once_and_anything_else_is_not(raw: RawSQL):
    approval = await make_approval(pe_notification_status=Status.READY)
    await raw.execute("UPDATE approval SET pe_notification_status = 'notification_ready', next_attempt_at = now()")
    assert await logged() == []

    await raw.execute("UPDATE approval SET pe_notification_status = 'notification_success'")

    assert await logged() == [approval]


async def test_a_change_of_dates_that_re_arms_the_notification_is_logged(raw: RawSQL):
    told = await make_approval(pe_notification_status=Status.SUCCESS)
    await make_approval(pe_notification_status=Status.PENDING)

    await raw.execute("UPDATE approval SET end_at = end_at + 1")

    assert await logged() == [told]


@pytest.mark.usefixtures("database")
async def test_what_a_transaction_itself_replaced_is_not_logged():
    approval = await make_approval(pe_notification_status=Status.ERROR)

    async with transaction():
        for status in (Status.PENDING, Status.READY):
            await Approval.filter(id=approval.id).update(pe_notification_status=status)

    assert await logged() == [approval]


@pytest.mark.usefixtures("database")
async def test_nothing_is_logged_of_a_transaction_that_failed():
    approval = await make_approval(pe_notification_status=Status.READY)

    async def fail() -> None:
        async with transaction():
            await Approval.filter(id=approval.id).update(pe_notification_status=Status.SUCCESS)
            raise ValueError("the transaction ends here")

    with pytest.raises(ValueError, match="ends here"):
        await fail()

    assert await logged() == []


@pytest.mark.usefixtures("database")
async def test_a_cancellation_and_every_status_of_it_are_logged_as_its_approval():
    approval = await make_approval(pe_notification_status=Status.SUCCESS)
    await cancel_approval(approval.id, now=NOW)
    assert await logged() == [approval]

    await CancelledApproval.filter(approval_id=approval.id).update(pe_notification_status=Status.READY)
    await CancelledApproval.filter(approval_id=approval.id).update(user_id_national_pe="x")

    assert await logged() == [approval] * 2


async def test_positions_follow_the_commits(raw: RawSQL, database: DatabaseConfig):
    one = await make_approval(pe_notification_status=Status.READY)
    two = await make_approval(pe_notification_status=Status.READY)
    change = "UPDATE approval SET pe_notification_status = 'notification_success' WHERE number = '{}'"
    async with connected(database.url) as first, connected(database.url) as second:
        await first.execute("BEGIN")
        await first.execute(change.format(one.number))
        await second.execute("BEGIN")
        await second.execute(change.format(two.number))

        # Nobody holds the lock before their commit: the later writer commits first, and is first in the log.
        await second.execute("COMMIT")
        await first.execute("COMMIT")

    assert await logged() == [two, one]
    assert await raw.fetch(ADVISORY_LOCKS) == []


async def test_a_commit_waits_for_one_that_has_its_number_already(raw: RawSQL, database: DatabaseConfig):
    one = await make_approval(pe_notification_status=Status.READY)
    two = await make_approval(pe_notification_status=Status.READY)
    change = "UPDATE approval SET pe_notification_status = 'notification_success' WHERE number = '{}'"

    async def somebody_waits() -> bool:
        return bool(await raw.fetch(WAITING_FOR_A_LOCK))

    async with connected(database.url) as first, connected(database.url) as second:
        await first.execute("BEGIN")
        await first.execute(change.format(one.number))
        # As in the middle of a commit: the triggers have run, nothing can be seen yet.
        await first.execute("SET CONSTRAINTS ALL IMMEDIATE")
        waiting = asyncio.create_task(second.execute(change.format(two.number)))
        await until(somebody_waits)
        assert await logged() == []

        await first.execute("COMMIT")
        await waiting

    assert await logged() == [one, two]


async def test_a_batch_is_logged_whole(raw: RawSQL):
    for _ in range(20):
        await make_approval(accepted_application=False, pe_notification_status=Status.PENDING)

    await raw.execute("UPDATE approval SET pe_notification_status = 'notification_ready'")

    assert len({approval.id for approval in await logged()}) == 20
