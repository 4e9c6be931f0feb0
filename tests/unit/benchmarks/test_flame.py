"""A flame graph is as wide as what was seen, and tells nothing of the machine."""

from __future__ import annotations

from xml.etree import ElementTree

from benchmarks.flame import Frame, draw, part_of, read

_STACKS = (
    "run (runners.py:118);answer (schema/http.py:10);plan (<plan of Page>) 30",
    "run (runners.py:118);answer (schema/http.py:99);_do_execute (asyncpg/connection.py:7) 10",
)


def test_stacks_become_one_tree_without_what_lies_around_all_of_them() -> None:
    root = read(_STACKS)

    assert (root.name, root.count) == ("answer (schema/http.py)", 40)
    assert {name: frame.count for name, frame in root.below.items()} == {
        "plan (<plan of Page>)": 30,
        "_do_execute (asyncpg/connection.py)": 10,
    }


def test_boxes_are_as_wide_as_their_share_and_side_by_side() -> None:
    picture = ElementTree.fromstring(draw(read(_STACKS)))  # noqa: S314 (our own)

    rects = [box.find("{*}rect") for box in picture.findall("{*}g")]
    assert [(rect.get("x"), rect.get("width")) for rect in rects if rect is not None] == [
        ("0.0", "999.5"),
        ("0.0", "749.5"),
        ("750.0", "249.5"),
    ]


def test_what_is_too_narrow_to_read_is_left_out() -> None:
    root = Frame("all", 1_000, {"rare": Frame("rare", 1), "common": Frame("common", 999)})

    picture = draw(root)

    assert "common" in picture
    assert "rare" not in picture


def test_parts_are_told_by_the_place_of_a_function() -> None:
    assert part_of("plan (<plan of Page>)") == "GraphQL"
    assert part_of("build (<plan JobApplication>)") == "ours"
    assert part_of("_do_execute (asyncpg/connection.py)") == "database"
    assert part_of("send (uvicorn/protocols/http/httptools_impl.py)") == "HTTP"
    assert part_of("<module> (<string>)") == "other"
