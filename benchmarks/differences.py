"""Where two answers part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast


def first_difference(expected: Any, found: Any, path: str = "") -> str | None:
    """The place of the first difference and both values there; None: they are equal."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        one, other = cast("Mapping[str, Any]", expected), cast("Mapping[str, Any]", found)
        if one.keys() != other.keys():
            return f"{path or 'answer'}: {', '.join(other) or 'nothing'}; {', '.join(one) or 'nothing'} expected"
        parts = [(f"{path}.{key}".lstrip("."), one[key], other[key]) for key in one]
    elif isinstance(expected, list) and isinstance(found, list):
        ours, theirs = cast("Sequence[Any]", expected), cast("Sequence[Any]", found)
        if len(ours) != len(theirs):
            return f"{path}: {len(theirs)} values, {len(ours)} expected"
        parts = [(f"{path}[{place}]", ours[place], theirs[place]) for place in range(len(ours))]
    else:
        return None if expected == found else f"{path}: {found!r}, {expected!r} expected"
    return next((told for place, a, b in parts if (told := first_difference(a, b, place)) is not None), None)
