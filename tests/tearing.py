"""Strategies for what others send: JSON of any kind, and documented JSON with something torn out or put in."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

texts = st.text(max_size=20) | st.sampled_from(
    ["", "\x00", "NaN", "2026-02-30", "9999-99-99", "1e400", "-1", "true", "null", "{}", "\u202e", "x" * 3_000]
)
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([0, -1, 2**31, 10**30]) | st.floats() | texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3),
    max_leaves=6,
)


def places_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON value, from the whole to its leaves."""
    found = [path]
    steps: Any = ()
    if isinstance(value, dict):
        steps = list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]: any JSON
    elif isinstance(value, list):
        steps = range(len(value))  # pyright: ignore[reportUnknownArgumentType]: any JSON
    for step in steps:
        found += places_of(value[step], (*path, step))
    return found


@st.composite
def torn(draw: st.DrawFn, answer: Any) -> Any:
    """A documented answer in which up to three places are replaced, removed or doubled."""
    value: Any = copy.deepcopy(answer)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places_of(value)))
        if not path:
            return draw(junk)
        parent = value
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.integers(0, 3)):
            case 0:
                del parent[path[-1]]
            case 1 if isinstance(parent, list):
                parent.insert(0, copy.deepcopy(parent[path[-1]]))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]: any JSON
            case _:
                parent[path[-1]] = draw(junk)
    return value
