"""A person's data on the command line: who may ask for it, where a copy goes, what is said of an erasure."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import orjson

from models import User
from models.enums import UserKind
from resolvers.errors import BadUserInput
from resolvers.global_ids import decode
from services.privacy.erasing import Erased, NotYet, erase_person
from services.privacy.exporting import export_person

_PEOPLE = frozenset({"JobSeeker", "User"})


class PersonRefused(Exception):
    """It cannot be done as it was asked. `str()` says what is wrong and what to do; it names nobody."""


def person_of(text: str) -> UUID:
    """Return whom an id names: a UUID, or an id of the API of a JobSeeker or User. Raises PersonRefused."""
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        found = decode(text)
    except BadUserInput:
        raise PersonRefused(
            "person: neither a UUID nor an id of the API; names and addresses are not accepted"
        ) from None
    if found.type_name not in _PEOPLE:
        raise PersonRefused(f"person: the id of a {found.type_name[:40]}, that of a JobSeeker or User is expected")
    return found.key


async def write_copy(person_id: UUID, path: Path, *, by: UUID, now: datetime) -> int:
    """Write everything that is held about the person to a new file that only its owner reads; return the rows."""
    await _check_staff(by, "may_read_full_nir", "the right to read whole NIRs")
    # Before the data is read: an export that cannot be written should leave no trace of one.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise PersonRefused(f"{path}: exists already; name a new file") from None
    except OSError as error:
        raise PersonRefused(f"{path}: cannot be written ({error.strerror}); name another file") from None
    with os.fdopen(descriptor, "wb") as file:
        try:
            copy = await export_person(person_id, exported_by=by, request_id=_request_id(), now=now)
            if copy is None:
                raise PersonRefused(_nobody(person_id))
            file.write(orjson.dumps(copy.content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
        except BaseException:
            os.unlink(path)
            raise
    return copy.rows


async def erase(person_id: UUID, *, by: UUID, without_announcing: bool, now: datetime) -> str:
    """Erase the person and return what to tell the operator. Raises PersonRefused."""
    await _check_staff(by, "is_operator", "the right to act on operations")
    outcome = await erase_person(
        person_id, erased_by=by, request_id=_request_id(), now=now, without_announcing=without_announcing
    )
    match outcome:
        case None:
            raise PersonRefused(_nobody(person_id))
        case NotYet(reasons):
            raise PersonRefused("\n".join(f"not erased: {reason}" for reason in reasons))
        case Erased(0, _):
            return f"Erased {person_id}: nothing is left but the trace of the erasure."
        case Erased(kept, until):
            return f"Erased {person_id}: {kept} approval(s) stay without a name, the last until {until}."


async def _check_staff(user_id: UUID, right: str, described: str) -> None:
    account = await User.get_or_none(id=user_id)
    if account is None or account.kind is not UserKind.STAFF or not account.is_active:
        raise PersonRefused("--by: the UUID of an active staff account expected; the access log names who did it")
    if not getattr(account, right):
        raise PersonRefused(f"--by: this account lacks {described}")


def _request_id() -> str:
    return f"cli-{uuid4()}"


def _nobody(person_id: UUID) -> str:
    return f"person {person_id}: there is nobody of that id; look it up in the API or in an earlier export"
