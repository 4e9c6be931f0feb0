"""Cursors: what is written is read back, and nothing else is read at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.cursors import CursorSigner
from resolvers.errors import BadUserInput

SIGNER = CursorSigner(b"tests-only-cursor-key")
KEY = UUID("7f4d3c1e-0000-4000-8000-000000000001")
POSITION = [datetime(2026, 2, 18, 9, 30, tzinfo=UTC), KEY]
TYPES = (datetime, UUID)


def refusal(cursor: str, list_name: str = "A:newest", types: tuple[type, ...] = TYPES) -> str:
    with pytest.raises(BadUserInput) as refused:
        SIGNER.decode(list_name, cursor, types)
    return refused.value.message


@given(
    st.tuples(st.datetimes(timezones=st.just(UTC)), st.uuids())
    | st.tuples(st.dates(), st.uuids())
    | st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.uuids())
)
def test_a_position_survives_the_journey(position: tuple[datetime | date | str, UUID]):
    types = tuple(datetime if isinstance(value, datetime) else type(value) for value in position)
    types = tuple(UUID if issubclass(kind, UUID) else kind for kind in types)

    found = SIGNER.decode("A:newest", SIGNER.encode("A:newest", position), types)

    assert found == list(position)


def test_a_cursor_needs_no_escaping_in_a_url():
    cursors = [SIGNER.encode("A:newest", [datetime.now(UTC), uuid4()]) for _ in range(50)]

    assert all(letter.isascii() and (letter.isalnum() or letter in "-_") for cursor in cursors for letter in cursor)


def test_equal_positions_have_equal_cursors_whatever_process_writes_them():
    assert SIGNER.encode("A:newest", POSITION) == CursorSigner(b"tests-only-cursor-key").encode("A:newest", POSITION)


def test_another_list_another_key_or_other_types_do_not_read_it():
    cursor = SIGNER.encode("A:newest", POSITION)

    assert "cursor" in refusal(cursor, "B:newest")
    assert "cursor" in refusal(cursor, types=(str,))
    assert "cursor" in refusal(cursor, types=(UUID, datetime))
    assert "cursor" in refusal(cursor, types=(datetime, UUID, UUID))
    assert "cursor" in refusal(CursorSigner(b"another").encode("A:newest", POSITION))


def test_no_single_change_of_a_letter_is_read():
    cursor = SIGNER.encode("A:newest", POSITION)
    # Of the last letter, some bits stand for nothing.
    for place in range(len(cursor) - 1):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]

        refusal(changed)


def test_a_signed_position_of_another_time_is_refused_and_no_accident():
    positions: list[list[object]] = [["yesterday", str(KEY)], [7, str(KEY)], [None, None], [{}, []], ["2026-02-18", 7]]

    for position in positions:
        refusal(SIGNER.encode("A:newest", position))


@given(st.text(max_size=200))
def test_no_text_is_an_accident(text: str):
    refusal(text)


def test_a_refusal_repeats_nothing_of_the_cursor():
    assert "1850599999042" not in refusal("1850599999042")
