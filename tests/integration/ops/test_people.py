"""A person's data on the command line: who may ask for it, and where a copy goes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from models import AccessLog, User
from models.enums import UserKind
from ops.people import PersonRefused, erase, person_of, write_copy
from resolvers.global_ids import encode
from tests.conftest import NOW
from tests.factories import make_approval, make_job_seeker, make_user

pytestmark = pytest.mark.usefixtures("database")


async def make_staff(**rights: Any) -> UUID:
    return (await make_user(UserKind.STAFF, **rights)).id


@pytest.mark.parametrize("type_name", ["JobSeeker", "User"])
def test_a_person_is_named_by_a_uuid_or_an_id_of_the_api(type_name: str):
    key = uuid4()

    assert person_of(str(key)) == person_of(encode(type_name, key)) == key


@pytest.mark.parametrize("text", ["Inventée", "personne@exemple.test", encode("Company", UUID(int=7))])
def test_nothing_else_names_a_person_and_it_is_not_repeated(text: str):
    with pytest.raises(PersonRefused) as refused:
        person_of(text)

    assert text not in str(refused.value)


async def test_a_copy_goes_to_a_new_file_that_its_owner_alone_reads(tmp_path: Path):
    person = await make_job_seeker()
    path = tmp_path / "copy.json"

    rows = await write_copy(person.id, path, by=await make_staff(may_read_full_nir=True), now=NOW)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = json.loads(path.read_bytes())
    assert written["tables"]["user"][0]["last_name"] == person.last_name
    assert rows == sum(len(table) for table in written["tables"].values())


async def test_a_file_that_exists_is_left_alone_and_nothing_is_read(tmp_path: Path):
    person = await make_job_seeker()
    path = tmp_path / "copy.json"
    path.write_text("something else")

    with pytest.raises(PersonRefused, match="exists already"):
        await write_copy(person.id, path, by=await make_staff(may_read_full_nir=True), now=NOW)

    assert path.read_text() == "something else"
    assert not await AccessLog.exists()


async def test_a_copy_of_nobody_leaves_no_file(tmp_path: Path):
    with pytest.raises(PersonRefused, match="there is nobody"):
        await write_copy(uuid4(), tmp_path / "copy.json", by=await make_staff(may_read_full_nir=True), now=NOW)

    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": UserKind.EMPLOYER},
        {"kind": UserKind.STAFF},
        {"kind": UserKind.STAFF, "is_operator": True, "may_read_full_nir": True, "is_active": False},
    ],
)
async def test_only_active_staff_with_the_right_may_copy_or_erase(tmp_path: Path, values: dict[str, Any]):
    person, account = await make_job_seeker(), await make_user(**values)

    with pytest.raises(PersonRefused, match="--by"):
        await write_copy(person.id, tmp_path / "copy.json", by=account.id, now=NOW)
    with pytest.raises(PersonRefused, match="--by"):
        await erase(person.id, by=account.id, without_announcing=False, now=NOW)

    assert await User.filter(id=person.id).exists()
    assert not os.listdir(tmp_path)


async def test_an_erasure_says_what_is_left():
    person = await make_job_seeker()

    said = await erase(person.id, by=await make_staff(is_operator=True), without_announcing=False, now=NOW)

    assert "nothing is left" in said
    assert not await User.filter(id=person.id).exists()


async def test_a_refused_erasure_says_what_to_do():
    person = await make_job_seeker()
    await make_approval(person)

    with pytest.raises(PersonRefused, match="cancel it first"):
        await erase(person.id, by=await make_staff(is_operator=True), without_announcing=False, now=NOW)
