"""The text of a function while it is written: lines, indentation, names of its own, and the objects it refers to."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from execution.spare_memory import give_back


class Writer:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 1
        self._names = 0
        self._known: dict[int, str] = {}
        self.namespace: dict[str, Any] = {}
        # `try` and `for`, one inside the other: CPython refuses more than twenty.
        self.blocks = 0

    def line(self, text: str) -> None:
        self._lines.append(" " * self._depth + text)

    @contextmanager
    def below(self, head: str, *, is_block: bool = False) -> Generator[None, None, None]:
        """Write `head` and indent what follows."""
        self.line(head)
        self._depth += 1
        self.blocks += is_block
        yield
        self.blocks -= is_block
        self._depth -= 1

    def name(self, letter: str) -> str:
        """Return a name that the function does not use yet."""
        self._names += 1
        return f"{letter}{self._names}"

    def constant(self, value: Any) -> str:
        """Return the name by which the function refers to an object."""
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = f"c{len(self._known)}"
            self.namespace[known] = value
        return known

    def function(self, name: str, head: str, first: str, last: str) -> Callable[..., Any]:
        text = "\n".join([f"def plan({head}):", f" {first}", *self._lines, f" {last}", ""])
        exec(compile(text, f"<plan of {name}>", "exec"), self.namespace)  # noqa: S102 (made of names that were checked by validation alone)
        # To compile took megabytes, which lie between what stays.
        give_back()
        return self.namespace["plan"]
