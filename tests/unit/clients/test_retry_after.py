"""Retry-After in both forms, and in the forms that nobody promised."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.retry_after import parse_retry_after

NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("1.5", 1.5),
        ("601", 600),
        ("999999999", 600),
        ("Wed, 18 Feb 2026 09:31:30 GMT", 90),
        ("Wed, 18 Feb 2026 09:31:30 -0000", 90),
        ("Wed, 18 Feb 2026 10:31:30 +0100", 90),
        ("Wed, 18 Feb 2026 09:00:00 GMT", 0),
        ("Thu, 19 Feb 2026 09:30:00 GMT", 600),
        (None, None),
        ("", None),
        ("abc", None),
        ("-5", None),
        ("1e3", None),
        ("nan", None),
        ("٧", None),
        ("9999999999", None),
        ("Wed, 99 Feb 2026 09:31:30 GMT", None),
    ],
)
def test_both_forms_are_read_and_capped_and_the_rest_is_none(value: str | None, seconds: float | None):
    assert parse_retry_after(value, now=NOW, cap_seconds=600) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [A-Z0-9+-]{1,6}"))
def test_no_header_whatever_raises_or_leaves_the_bounds(value: str):
    seconds = parse_retry_after(value, now=NOW, cap_seconds=600)

    assert seconds is None or 0 <= seconds <= 600
