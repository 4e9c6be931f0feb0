"""What partners send, read into shapes: what is taken, what is refused, and that neither says what stood there."""

import traceback
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from rich.pretty import pretty_repr

from clients.shapes import Shape, Unreadable, Wire, object_or_none, objects_of

SECRET = "1850599999042"  # stands for any personal datum


class Kind(StrEnum):
    LAMP = "lamp"


class Part(Wire):
    label: Annotated[str, msgspec.Meta(min_length=1)]
    kind: Kind = Kind.LAMP
    weight: float | None = None


class Thing(Wire):
    number: int = msgspec.field(name="numero")
    parts: list[Part] = msgspec.field(default_factory=list[Part])
    by_name: dict[str, Part] = msgspec.field(default_factory=dict[str, Part], name="parNom")
    by_kind: dict[Kind, int] = msgspec.field(default_factory=dict[Kind, int], name="parType")
    is_sold: bool | None = None
    made_on: date | None = None
    note: Any = None


class Guarded(Wire):
    """Refuses whatever it is given, in the words that it is given."""

    words: str

    def __post_init__(self) -> None:
        raise ValueError(self.words)


class Guards(Wire):
    all: list[Guarded]


class Nested(Wire):
    inner: "Nested | None" = None


THING = Shape(Thing)
# Both ways of reading: from bytes, and from values that were read before.
READINGS: list[Callable[[Shape[Any], Any], Any]] = [
    lambda shape, value: shape.read(msgspec.json.encode(value)),
    lambda shape, value: shape.take(value),
]
both_ways = pytest.mark.parametrize("reading", READINGS, ids=["read", "take"])


def refusal_of(read: Callable[[], object]) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read()
    return caught.value


@both_ways
def test_fields_bear_our_names_and_what_nobody_declared_is_left_out(reading: Callable[..., Thing]):
    thing = reading(THING, {"numero": 7, "parts": [{"label": "bulb"}], "inconnu": {"a": [1]}})

    assert thing == Thing(number=7, parts=[Part(label="bulb")])


@both_ways
@pytest.mark.parametrize(
    ("sent", "number", "weight", "is_sold"),
    [
        ({"numero": "12", "weight": "1.5", "sold": "true"}, 12, 1.5, True),
        ({"numero": 12.0, "weight": 2, "sold": "False"}, 12, 2.0, False),
        ({"numero": "12.0", "weight": "2e3", "sold": 0}, 12, 2000.0, False),
        ({"numero": -1, "weight": None, "sold": None}, -1, None, None),
    ],
)
def test_numbers_may_come_as_text(
    reading: Callable[..., Thing], sent: dict[str, Any], number: int, weight: float | None, is_sold: bool | None
):
    value = {"numero": sent["numero"], "is_sold": sent["sold"], "parts": [{"label": "bulb", "weight": sent["weight"]}]}

    thing = reading(THING, value)

    assert (thing.number, thing.parts[0].weight, thing.is_sold) == (number, weight, is_sold)


@both_ways
@pytest.mark.parametrize("number", ["12", 12.0])
def test_a_strict_shape_takes_no_number_in_another_form(reading: Callable[..., Thing], number: object):
    strict = Shape(Thing, strict=True)

    assert reading(strict, {"numero": 12}) == Thing(number=12)
    assert refusal_of(lambda: reading(strict, {"numero": number})).where == "numero"


@both_ways
@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({}, "numero"),
        ({"numero": None}, "numero"),
        ({"numero": "twelve"}, "numero"),
        ({"numero": 1.5}, "numero"),
        ({"numero": True}, "numero"),
        ({"numero": 1, "parts": None}, "parts"),
        ({"numero": 1, "parts": [{"label": "bulb"}, {}]}, "parts[1].label"),
        ({"numero": 1, "parts": [{"label": ""}]}, "parts[0].label"),
        ({"numero": 1, "parts": [{"label": 1}]}, "parts[0].label"),
        ({"numero": 1, "parts": [{"label": "bulb", "kind": SECRET}]}, "parts[0].kind"),
        ({"numero": 1, "parNom": {SECRET: {"label": None}}}, "parNom[...].label"),
        ({"numero": 1, "parNom": {SECRET: {}}}, "parNom[...].label"),
        ({"numero": 1, "parType": {SECRET: 1}}, "parType"),
        ({"numero": 1, "made_on": "2026-02-30"}, "made_on"),
        ([], ""),
        (None, ""),
        (SECRET, ""),
    ],
)
def test_a_refusal_says_where_by_the_keys_of_the_shape_alone(reading: Callable[..., Thing], value: object, where: str):
    error = refusal_of(lambda: reading(THING, value))

    assert (error.where, error.is_json) == (where, True)
    assert str(error) == f"{where or 'the whole'}: of another shape than documented"
    assert SECRET not in f"{error!r} {vars(error)}"


@both_ways
@pytest.mark.parametrize(
    "words",
    [
        SECRET,
        f"{SECRET} - at `$.{SECRET}`",
        f"{SECRET} - at `$.{SECRET}",
        f"Object missing required field `{SECRET}`",
        f"Object missing required field `{SECRET}` - at `key` in `$.{SECRET}`",
    ],
)
def test_what_a_class_says_when_it_refuses_goes_no_further(reading: Callable[..., object], words: str):
    whole = refusal_of(lambda: reading(Shape(Guarded), {"words": words}))
    nested = refusal_of(lambda: reading(Shape(Guards), {"all": [{"words": words}]}))

    assert (whole.where, nested.where) == ("", "all[0]")


@pytest.mark.parametrize("kind", [f"{SECRET} - at `$.{SECRET}`", f"{SECRET}' - at `$.{SECRET}", f"`$.{SECRET}`"])
def test_a_value_that_looks_like_a_place_is_none(kind: str):
    error = refusal_of(lambda: THING.take({"numero": 1, "parts": [{"label": "bulb", "kind": kind}]}))

    assert error.where == "parts[0].kind"


@pytest.mark.parametrize(
    "read",
    [
        lambda: THING.read(f'{{"numero": "{SECRET}x"}}'.encode()),
        lambda: THING.read(f'{{"numero": {SECRET}'.encode()),
        lambda: THING.read(f'{{"numero": 1, "note": "{SECRET}\\ud800"}}'.encode()),
        lambda: THING.take({"numero": f"{SECRET}x"}),
        lambda: Shape(Guarded).take({"words": SECRET}),
    ],
)
def test_no_error_of_the_library_travels_along(read: Callable[[], object]):
    error = refusal_of(read)

    assert (error.__cause__, error.__context__) == (None, None)
    assert SECRET not in "".join(traceback.format_exception_only(error))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"<html>",
        b"Too many requests",
        b"5 calls a second at most",
        b'"a text',
        b'{"numero": 1',
        b'{"numero": "x", rubbish',
        b'{"numero": 1} {}',
        b'{"numero": 01}',
        b'{"numero": NaN}',
        b'{"numero": 1, "nobody reads it": NaN}',
        b'\xef\xbb\xbf{"numero": 1}',
        b'{"numero": 1, "note": "\xff"}',
        b'{"numero": "\xff"}',
        b'{"numero": 1, "note": "\\ud800"}',
        b'{"numero": 1, "note": "\\udc00\\ud800"}',
        b'{"numero": 1, "note": "two\nlines"}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"numero": 1, "note": ' + b"[" * 100_000,
        b'{"numero": 1, "nobody reads it": ' + b'{"a":' * 100_000,
        b'{"numero": "x", "nobody reads it": ' + b'{"a":' * 100_000,
    ],
)
def test_what_is_no_json_is_told_apart_even_where_the_shape_is_wrong_as_well(body: bytes):
    error = refusal_of(lambda: THING.read(body))

    assert (error.where, error.is_json, str(error)) == ("", False, "not JSON")


def test_pairs_of_surrogates_are_one_character():
    assert THING.read(b'{"numero": 1, "note": "\\ud83d\\ude00"}').note == "😀"


def test_a_shape_within_itself_ends_somewhere():
    value: dict[str, Any] = {}
    for _ in range(500):
        value = {"inner": value}
    Shape(Nested).take(value)
    for _ in range(100_000):
        value = {"inner": value}

    refusal_of(lambda: Shape(Nested).take(value))


def test_a_number_of_thousands_of_digits_is_refused():
    assert refusal_of(lambda: THING.read(b'{"numero": ' + b"9" * 5_000 + b"}")).where == "numero"


def test_a_shape_may_be_anything_that_has_one():
    assert Shape(list[int]).read(b'[1, "2"]') == [1, 2]
    assert Shape(dict[str, Thing]).take({"a": {"numero": 1}}) == {"a": Thing(number=1)}
    assert refusal_of(lambda: Shape(list[int]).read(b'[1, "two"]')).where == "[1]"


def test_one_entry_that_cannot_be_read_hides_no_others():
    entries = [{"numero": 1}, {"numero": None}, "text", {"numero": 2}]

    assert [thing.number for entry in entries if (thing := THING.take_or_none(entry))] == [1, 2]


def test_a_body_that_need_not_be_of_the_shape_is_none_when_it_is_not():
    bodies = (b'{"numero": 1}', b'{"numero": null}', b"<html>")

    assert [THING.read_or_none(body) for body in bodies] == [Thing(number=1), None, None]


def test_nothing_of_what_came_is_printed():
    thing = THING.take({"numero": SECRET, "parts": [{"label": SECRET}], "parNom": {SECRET: {"label": "a"}}})

    assert (repr(thing), f"{thing}", repr([thing])) == ("Thing(...)", "Thing(...)", "[Thing(...)]")
    assert SECRET not in repr(thing.parts) + pretty_repr(thing)


def test_what_was_read_is_changed_by_nobody():
    with pytest.raises(AttributeError):
        THING.take({"numero": 1}).number = 2  # pyright: ignore[reportAttributeAccessIssue]: that is the point


@pytest.mark.parametrize(
    ("value", "objects"),
    [(None, []), ("text", []), ({"a": 1}, []), ([], []), ([{"a": 1}, None, "text", {}], [{"a": 1}, {}])],
)
def test_of_an_uncertain_list_the_objects_are_taken(value: object, objects: list[dict[str, Any]]):
    assert objects_of(value) == objects


@pytest.mark.parametrize(("value", "found"), [({"a": 1}, {"a": 1}), ({}, {}), ([], None), ("text", None), (None, None)])
def test_an_uncertain_object_is_one_or_none(value: object, found: dict[str, Any] | None):
    assert object_or_none(value) == found
