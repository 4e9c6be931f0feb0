"""Lists whose objects need not be made to be shown.

What is read from a database comes as records. To make objects of them, only for a plan to read each attribute once,
costs about as much as to show them. A field may therefore return `Rows`: whoever iterates over them gets objects; a
plan that needs nothing but attributes says by a `Shape` what it would read, and may get the finished answer instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Plans know of rows.
    from execution.plans.leaves import Leaf


@dataclass(frozen=True, slots=True)
class ShapeField:
    """One field of an answer: `attribute` of the object, shown as a leaf or as an object of the shape `below`."""

    name: str
    attribute: str
    is_nullable: bool
    leaf: Leaf | None = None
    below: Shape | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What a selection shows of objects of one type, if all of it are attributes.

    `value_class`: that of the objects; None where any will do. `texts`: what the answer holds whatever the object is.
    `ways`: for whoever answers by this shape, to remember how.
    """

    value_class: type[Any] | None
    names: tuple[str, ...]
    fields: tuple[ShapeField, ...]
    texts: dict[str, str]
    ways: dict[Any, Any] = field(default_factory=dict[Any, Any])


class Rows(ABC):
    """A list of objects that are made when somebody asks for them, by iterating over it or by `objects`."""

    __slots__ = ()

    @abstractmethod
    def objects(self) -> list[Any]:
        """Make the objects."""

    @abstractmethod
    def answers(self, shape: Shape) -> list[Any] | None:
        """Return what a plan would make of each object; None where it must look at the objects themselves.

        Each value was found to meet its leaf's condition, and was converted as the leaf says. Never raises.
        """

    def __iter__(self) -> Iterator[Any]:
        return iter(self.objects())
