"""What is said of a body that the sandbox's own doors refuse: the field, and what was expected there."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from sandbox.api_particulier.settings import TokenState
from sandbox.partner import PartnerSettings
from sandbox.shapes import AwareDatetime, Shape, read, take


class _Inner(Shape):
    state: TokenState = TokenState.VALID
    at: AwareDatetime | None = None


class _Outer(Shape):
    count: int = 0
    inner: _Inner | None = None
    several: Sequence[_Inner] = ()
    by_number: Mapping[int, Literal["seen", "noshow"]] = {}


_STATES = "one of valid, expired, blacklisted, without_right expected"
_A_TIME = "2026-04-01T09:00:00+02:00 expected"


def refusal_of(value: object) -> str:
    with pytest.raises(ValueError, match=r"^(Expected|Invalid|Object) ") as refusal:
        take(_Outer, value)
    return str(refusal.value)


def test_numbers_may_come_as_text():
    body = b'{"count": "5", "by_number": {"7": "seen"}, "inner": {"at": "2026-04-01T09:00:00+04:00"}}'

    read_ = read(_Outer, body)

    assert (read_.count, read_.by_number) == (5, {7: "seen"})
    assert read_.inner is not None
    assert str(read_.inner.at) == "2026-04-01 09:00:00+04:00"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"count": "x"}, "Expected `int`, got `str` - at `$.count`"),
        ({"inner": {"state": "lost"}}, f"Invalid enum value 'lost' - at `$.inner.state`: {_STATES}"),
        ({"several": [{}, {"state": "lost"}]}, f"Invalid enum value 'lost' - at `$.several[1].state`: {_STATES}"),
        (
            {"by_number": {"7": "lost"}},
            "Invalid enum value 'lost' - at `$.by_number[...]`: one of noshow, seen expected",
        ),
        ({"inner": {"at": "demain"}}, f"Invalid RFC3339 encoded datetime - at `$.inner.at`: {_A_TIME}"),
        ({"inner": {"at": "2026-04-01T09:00:00"}}, "Expected `datetime` with a timezone component - at `$.inner.at`"),
        ({"typo": 1}, "Object contains unknown field `typo`: one of count, inner, several, by_number expected"),
        ({"inner": {"typo": 1}}, "Object contains unknown field `typo` - at `$.inner`: one of state, at expected"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_the_field_is_named_with_what_was_expected(value: Any, sentence: str):
    assert refusal_of(value) == sentence


@pytest.mark.parametrize("name", ["$", "$.x", "` - at `$.x", "x` - at `$.inner", "x` - at `$.count[0].y"])
def test_a_field_named_like_a_place_is_refused_as_any_other(name: str):
    assert refusal_of({name: 1}).startswith(f"Object contains unknown field `{name}`")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"count": 1} 2', b'{"count": NaN}'])
def test_what_is_not_json_is_refused(body: bytes):
    with pytest.raises(ValueError, match=r"JSON|truncated|UTF-8"):
        read(_Outer, body)


def test_settings_do_not_print_the_secrets_among_them():
    assert repr(PartnerSettings(retry_after_s=7)) == "PartnerSettings(...)"
