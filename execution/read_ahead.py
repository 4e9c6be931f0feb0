"""Values of fields that came along with their object, so that their resolvers need not be called.

Whoever reads an object may know already what some of its fields will be asked for (a list in the object's own
statement). It leaves the values in the object's `ATTRIBUTE`, by the node of the field: a node has one set of arguments
for the whole operation, so what is found by it is what the resolver would have come to.
"""

from __future__ import annotations

from typing import Any

ATTRIBUTE = "_read_ahead_"


class ReadAhead(dict[int, Any]):
    """The values of one object, by `id()` of the first node of their field. None: its resolver is called."""

    __slots__ = ()


def value_ahead(source: Any, node_id: int) -> Any:
    """Return the value that an object brought along for a node, or None."""
    ahead = getattr(source, ATTRIBUTE, None)
    # Some classes answer for any attribute.
    return ahead.get(node_id) if type(ahead) is ReadAhead else None
