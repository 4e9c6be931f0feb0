"""Random valid documents for a schema: aliases, fragments, conditions, merged fields, arguments, type names."""

from __future__ import annotations

from random import Random
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLSchema, GraphQLUnionType, is_composite_type

from execution.types import named_type

_MAX_DEPTH = 4
_VARIABLES = '$yes: Boolean!, $no: Boolean! = false, $size: Int, $name: String! = "name"'


def random_document(schema: GraphQLSchema, seed: int) -> str:
    return _Author(schema, Random(seed)).document()


class _Author:
    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self._schema = schema
        self._random = random
        self._aliases = 0
        self._fragments: list[str] = []

    def document(self) -> str:
        selection = self._selection(self._schema.query_type, _MAX_DEPTH)
        return "\n".join([f"query Q({_VARIABLES}) {selection}", *self._fragments])

    def _selection(self, kind: Any, depth: int) -> str:
        random = self._random
        parts = [self._part(kind, depth) for _ in range(random.randrange(1, 5))]
        if random.randrange(4) == 0:
            parts.append("__typename")
        return "{ " + " ".join([*parts, *(["__typename"] if not any(parts) else [])]) + " }"

    def _part(self, kind: Any, depth: int) -> str:
        random = self._random
        way = random.randrange(10)
        if isinstance(kind, GraphQLUnionType) or (way == 0 and depth > 0):
            return self._inline(kind, depth - 1)
        if way == 1 and depth > 0:
            return self._spread(kind, depth - 1)
        return self._field(kind, depth)

    def _inline(self, kind: Any, depth: int) -> str:
        condition = self._condition(kind)
        head = f"... on {condition.name}" if self._random.randrange(4) else "..."
        inner = condition if head != "..." else kind
        if isinstance(inner, GraphQLUnionType):
            return f"{head} {self._directive()} {{ __typename }}"
        return f"{head} {self._directive()} {self._selection(inner, max(depth, 0))}"

    def _spread(self, kind: Any, depth: int) -> str:
        condition = self._condition(kind)
        name = f"Part{len(self._fragments)}"
        self._fragments.append("")
        place = len(self._fragments) - 1
        selection = "{ __typename }" if isinstance(condition, GraphQLUnionType) else self._selection(condition, depth)
        self._fragments[place] = f"fragment {name} on {condition.name} {selection}"
        # Twice, now and then: the second changes nothing.
        return f"...{name} {self._directive()}" + (f" ...{name}" if self._random.randrange(4) == 0 else "")

    def _condition(self, kind: Any) -> Any:
        if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
            return self._random.choice([*self._schema.get_possible_types(kind), kind])
        return kind

    def _field(self, kind: Any, depth: int) -> str:
        random = self._random
        fields = {
            name: field
            for name, field in kind.fields.items()
            if depth > 0 or not is_composite_type(named_type(field.type))
        }
        if not fields:
            return "__typename"
        name = random.choice(list(fields))
        child = named_type(fields[name].type)
        alias, arguments = "", ""
        if random.randrange(3) == 0:
            self._aliases += 1
            alias = f"alias{self._aliases}: "
            if fields[name].args:
                arguments = random.choice(("", "(size: 2)", "(size: $size)", '(size: $size, names: [$name, "b"])'))
        below = self._selection(child, depth - 1) if is_composite_type(child) else ""
        return f"{alias}{name}{arguments} {self._directive()} {below}"

    def _directive(self) -> str:
        if self._random.randrange(5):
            return ""
        return self._random.choice(
            ("@include(if: $yes)", "@skip(if: $no)", "@include(if: true)", "@skip(if: true)", "@skip(if: $yes)")
        )
