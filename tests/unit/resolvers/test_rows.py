"""Answers made of records: each value meets its leaf's condition, or objects are made of all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import pytest
from graphql import GraphQLInt, GraphQLString

from execution.plans.leaves import Leaf, leaf_of
from execution.rows import Shape, ShapeField
from resolvers.reading import Made, Plan, Value
from resolvers.rows import EdgeRows, RecordRows


class Kind(Enum):
    GOOD = "good"
    BAD = "bad"


class Book:
    pass


class Author:
    pass


TEXT, NUMBER = leaf_of(GraphQLString, native_dates=True), leaf_of(GraphQLInt, native_dates=True)
KIND = Leaf("type({v}) is {enum}", "{names}[{v}]", {"enum": Kind, "names": {Kind.GOOD: "GOOD", Kind.BAD: "BAD"}})
DAY = Leaf("type({v}) in {dates}", "{v}.isoformat()", {"dates": {date, datetime}})
MADE = Made(
    Book,
    {
        "name": Value("r[0]"),
        "pages": Value("r[1]"),
        "kind": Value("r[2]", {"good": Kind.GOOD, "bad": Kind.BAD}),
        "printed_on": Value("r[3]"),
        "author": Made(Author, {"name": Value("twice(r[4])")}, when="r[4] is not None"),
    },
)
GOOD = ("a", 1, "good", date(2026, 2, 18), "b")


def twice(text: str) -> str:
    return text * 2


def plan() -> Plan:
    return Plan(
        alias="t1",
        columns=("a", "b", "c", "d", "e"),
        source="",
        conditions=(),
        order=(),
        build=lambda record: ("made", *record),
        made=MADE,
        names={"twice": twice},
    )


def shape(*fields: ShapeField, texts: dict[str, str] | None = None, value_class: type | None = Book) -> Shape:
    names = (*(texts or {}), *(field.name for field in fields))
    return Shape(value_class, names, fields, texts or {})


AUTHOR = Shape(Author, ("n",), (ShapeField("n", "name", is_nullable=False, leaf=TEXT),), {})
WHOLE = (
    ShapeField("title", "name", is_nullable=False, leaf=TEXT),
    ShapeField("pages", "pages", is_nullable=True, leaf=NUMBER),
    ShapeField("kind", "kind", is_nullable=True, leaf=KIND),
    ShapeField("printedOn", "printed_on", is_nullable=True, leaf=DAY),
    ShapeField("author", "author", is_nullable=True, below=AUTHOR),
)


def answers(record: tuple[Any, ...], *fields: ShapeField) -> list[Any] | None:
    return RecordRows([record], plan()).answers(shape(*fields))


def test_an_answer_has_its_names_in_their_order():
    shown = RecordRows([GOOD], plan()).answers(shape(*WHOLE, texts={"__typename": "Book"})) or []

    assert shown == [
        {
            "__typename": "Book",
            "title": "a",
            "pages": 1,
            "kind": "GOOD",
            "printedOn": "2026-02-18",
            "author": {"n": "bb"},
        }
    ]
    assert [*shown[0]] == ["__typename", "title", "pages", "kind", "printedOn", "author"]


def test_nulls_stand_where_they_may():
    [shown] = answers(("a", None, None, None, None), *WHOLE) or []

    assert shown == {"title": "a", "pages": None, "kind": None, "printedOn": None, "author": None}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, None),  # where none may be
        (0, 5),
        (0, b"bytes"),
        (1, 2**31),
        (1, True),
        (2, "unheard of"),
        (2, 5),
        (3, "2026-02-18"),
        (4, object()),  # what is computed of it raises
        (4, 5),
    ],
)
def test_an_unusual_value_makes_objects_of_all(place: int, value: Any):
    record = tuple(value if index == place else known for index, known in enumerate(GOOD))

    rows = RecordRows([GOOD, record, GOOD], plan())

    assert rows.answers(shape(*WHOLE)) is None
    assert rows.objects() == [("made", *GOOD), ("made", *record), ("made", *GOOD)]


@pytest.mark.parametrize(
    "field",
    [
        ShapeField("kind", "kind", is_nullable=False, leaf=KIND),
        ShapeField("printedOn", "printed_on", is_nullable=False, leaf=DAY),
        ShapeField("author", "author", is_nullable=False, below=AUTHOR),
    ],
    ids=lambda field: field.name,
)
def test_a_null_where_none_may_be_is_unusual(field: ShapeField):
    assert answers(GOOD, field) is not None
    assert answers(("a", None, None, None, None), field) is None


def test_instants_are_shown_as_the_leaf_says():
    record = ("a", 1, "good", datetime(2026, 2, 18, 9, 30, tzinfo=UTC), None)

    assert answers(record, WHOLE[3]) == [{"printedOn": "2026-02-18T09:30:00+00:00"}]


@pytest.mark.parametrize(
    "field",
    [
        ShapeField("x", "not_read", is_nullable=True, leaf=TEXT),
        ShapeField("x", "author", is_nullable=True, leaf=TEXT),
        ShapeField("x", "name", is_nullable=True, below=AUTHOR),
        ShapeField("x", "kind", is_nullable=True, leaf=TEXT),
        ShapeField("x", "author", is_nullable=True, below=Shape(Book, (), (), {})),
    ],
)
def test_what_was_not_read_as_such_is_left_to_objects(field: ShapeField):
    assert answers(GOOD, WHOLE[0], field) is None


def test_objects_of_another_class_are_not_shown_by_the_shape():
    assert RecordRows([GOOD], plan()).answers(shape(WHOLE[0], value_class=Author)) is None
    assert RecordRows([GOOD], plan()).answers(shape(WHOLE[0], value_class=None)) == [{"title": "a"}]


def test_edges_show_their_cursors_and_nodes():
    node = ShapeField("node", "node", is_nullable=False, below=shape(WHOLE[0]))
    cursor = ShapeField("cursor", "cursor", is_nullable=False, leaf=TEXT)

    def make(made: Any, at: str | None) -> tuple[Any, str | None]:
        return made, at

    with_cursors = EdgeRows([GOOD], plan(), lambda record: f"at {record[0]}", make)
    without = EdgeRows([GOOD], plan(), None, make)

    assert with_cursors.answers(shape(cursor, node, value_class=None)) == [{"cursor": "at a", "node": {"title": "a"}}]
    assert without.answers(shape(node, value_class=None)) == [{"node": {"title": "a"}}]
    assert without.answers(shape(cursor, value_class=None)) is None
    assert with_cursors.objects() == [(("made", *GOOD), "at a")]
    assert without.objects() == [(("made", *GOOD), None)]


def test_one_shape_serves_the_plans_of_several_viewers_and_forgets_most():
    one = shape(WHOLE[0])
    plans = [plan() for _ in range(100)]

    for each in plans:
        assert RecordRows([GOOD], each).answers(one) == [{"title": "a"}]

    assert 0 < len(one.ways) <= 32
