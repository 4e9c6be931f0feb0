"""From a selection on a type to one straight-line Python function that completes values of it.

What graphql-core finds out for each value (which fields, which resolver, which type, whether to await) is found out
here once. The function keeps its order of calls and its handling of errors; where a value is not the usual one it hands
this value, and nothing else, to graphql-core. Nothing is therefore read or called twice.

A path is written as an expression that only errors and resolvers evaluate: the index of a list's item is the number of
results so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails, collect_subfields
from graphql.pyutils import Path

from execution.direct_calls import is_direct
from execution.plans.leaves import leaf_of
from execution.plans.runtime import PlannedExecutor
from execution.plans.sites import (
    CAST_ATTRIBUTE,
    Site,
    accepts_any_class,
    attribute_of,
    class_of,
    classes_below,
    is_asynchronous,
    prepare_of,
    site_of,
)
from execution.plans.values import PLAIN, admit
from execution.plans.writer import Writer
from execution.read_ahead import value_ahead
from execution.rows import Rows, Shape, ShapeField

Plan = Callable[[PlannedExecutor, Any, Path], Any]

# An object or list that would pass one of these is left to graphql-core, which finds a plan of its own for it.
_MAX_BLOCKS = 14
_MAX_FIELDS = 250
_JSON = frozenset({str, int, float, bool, list, dict})


class NotPlannable(Exception):
    """The selection asks for what only graphql-core does (incremental delivery, arguments of fragments)."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: how it goes on when it is unusual, or must be awaited. Texts of expressions."""

    site: str
    details: str
    path: str
    pending: str
    key: str  # by which the pending of a list or an object know this value
    item_type: str | None = None  # of an item; None for a field

    def unusual(self, value: str) -> str:
        if self.item_type is None:
            return f"ex.complete_unusual({self.site}, {value}, {self.path})"
        return f"ex.complete_unusual_item({self.site}, {self.item_type}, {value}, {self.path})"

    def awaited(self, value: str) -> str:
        if self.item_type is None:
            return f"ex.await_field({self.site}, {value}, {self.path})"
        return f"ex.await_item({self.site}, {self.item_type}, {value}, {self.path})"


class PlanCompiler:
    """Compiles one plan, as an executor would run the selection now."""

    def __init__(self, executor: PlannedExecutor, *, native_dates: bool) -> None:
        self._executor = executor
        self._native_dates = native_dates
        self._writer = Writer()
        self._fields = 0
        self._none_at_first: list[str] = []
        self._writer.namespace.update(Path=Path, PLAIN=PLAIN, admit=admit, value_ahead=value_ahead, Rows=Rows)

    def object_plan(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> Plan:
        """Return the plan that executes the fields of one object. Raises NotPlannable."""
        result, pending = self._object("value", object_type, details, "path")
        with self._writer.below(f"if {pending} is not None:"):
            self._writer.line(f"return ex.await_fields({result}, {pending})")
        return self._function(object_type.name, result)

    def list_plan(self, list_type: GraphQLList[Any], site: Site) -> Plan:
        """Return the plan that completes a list or tuple. Raises NotPlannable."""
        self._check(site.details)
        result, pending = self._list("value", list_type, self._writer.constant(site), site, "path")
        with self._writer.below(f"if {pending} is not None:"):
            self._writer.line(f"return ex.await_items({result}, {pending})")
        return self._function(f"{site.parent_type.name}.{site.name}", result)

    def _function(self, name: str, result: str) -> Plan:
        first = " = ".join([*self._none_at_first, "None"])
        return self._writer.function(name, "ex, value, path", first, f"return {result}")

    # -- objects and their fields

    def _object(
        self, source: str, object_type: GraphQLObjectType, details: list[FieldDetails], path: str
    ) -> tuple[str, str]:
        """Write the execution of an object's fields; return where the result is, and what of it is pending."""
        write = self._writer
        result, pending = write.name("r"), self._pending()
        sites = self._sites(object_type, details)
        self._fields += len(sites)
        entries: dict[str, str] = {name: repr(object_type.name) for name, _ in sites}
        with write.below("try:", is_block=True):
            if any(site is not None and _is_called(site) for _, site in sites):
                # Resolvers are told their path: begin it once.
                here = write.name("p")
                write.line(f"{here} = {path}")
                path = here
            for name, site in sites:
                if site is not None:
                    entries[name] = self._field(site, source, path, pending)
            write.line("pass")
        with write.below("except Exception:"):
            with write.below(f"if {pending} is not None:"):
                write.line(f"ex.abandon_fields({pending})")
                write.line(f"{pending} = None")
            write.line("raise")
        write.line(f"{result} = {{{', '.join(f'{name!r}: {value}' for name, value in entries.items())}}}")
        return result, pending

    def _sites(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> list[tuple[str, Site | None]]:
        """Return the fields of an object by their names in the answer; None stands for `__typename`."""
        executor = self._executor
        collected = collect_subfields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            executor.operation,
            object_type,
            details,
            executor.hide_suggestions,
        )
        if collected.new_defer_usages:
            raise NotPlannable
        sites: list[tuple[str, Site | None]] = []
        for name, field_details in collected.grouped_field_set.items():
            self._check(field_details)
            if field_details[0].node.name.value == "__typename":
                sites.append((name, None))
                continue
            site = site_of(executor.schema, object_type, name, field_details)
            if site is not None:
                sites.append((name, site))
        return sites

    @staticmethod
    def _check(details: list[FieldDetails]) -> None:
        for detail in details:
            others = (node.name.value for node in detail.node.directives or ())
            if (
                detail.defer_usage is not None
                or detail.fragment_variable_values is not None
                or any(name not in ("include", "skip") for name in others)
            ):
                raise NotPlannable

    def _field(self, site: Site, source: str, object_path: str, pending: str) -> str:
        """Write the execution of a field; return where its value is."""
        write = self._writer
        value, known = write.name("v"), write.constant(site)
        path = f"Path({object_path}, {site.name!r}, {site.parent_type.name!r})"
        if _is_called(site):
            here = write.name("p")
            write.line(f"{here} = {path}")
            path = here
        place = _Place(known, write.constant(site.details), path, pending, repr(site.name))
        with write.below("try:", is_block=True):
            if is_asynchronous(site):
                parent = write.constant(site.parent_type)
                write.line(f"{value} = ex.execute_field({parent}, {source}, {place.details}, {path}, None)")
                self._note_if_awaitable(place, value)
            else:
                write.line(f"{value} = {self._found(site, known, source, path)}")
                self._value(value, site.definition.type, site, place)
        with write.below("except Exception as error:"):
            write.line(f"{value} = ex.fail({known}, {write.constant(site.definition.type)}, error, {path})")
        return value

    def _found(self, site: Site, known: str, source: str, path: str) -> str:
        """Return the expression of a field's value, before it is completed."""
        attribute, prepare = attribute_of(site), prepare_of(site)
        if attribute is not None:
            return f"{source}.{attribute}"
        if prepare is None:
            called = f"ex.resolve_site({known}, {source}, {path})"
            if not is_direct(site.definition.resolve):
                return called
            ahead = self._writer.name("h")
            return f"{called} if ({ahead} := value_ahead({source}, {id(site.nodes[0])})) is None else {ahead}"
        # Where the first value is read, so that what raises there is the error of this field.
        read = self._unset("g")
        self._writer.line(f"if {read} is None: {read} = {self._writer.constant(prepare)}(ex.context_value)")
        return f"{read}({source})"

    # -- values

    def _value(self, value: str, return_type: Any, site: Site, place: _Place) -> None:
        """Write the completion of a value in place."""
        is_nullable = not isinstance(return_type, GraphQLNonNull)
        kind = cast("Any", return_type if is_nullable else return_type.of_type)
        if is_leaf_type(kind):
            self._leaf(value, kind, place, is_nullable=is_nullable)
            return
        if not self._has_room():
            self._unless_null(value, place, "if", is_nullable=is_nullable)
        elif isinstance(kind, GraphQLList):
            self._list_value(value, cast("GraphQLList[Any]", kind), site, place, is_nullable=is_nullable)
        elif is_abstract_type(kind):
            self._abstract_value(value, kind, place, is_nullable=is_nullable)
        else:
            self._object_value(value, kind, site, place, is_nullable=is_nullable)

    def _has_room(self) -> bool:
        return self._writer.blocks < _MAX_BLOCKS and self._fields < _MAX_FIELDS

    def _leaf(self, value: str, kind: Any, place: _Place, *, is_nullable: bool) -> None:
        write = self._writer
        leaf = leaf_of(kind, native_dates=self._native_dates)
        if leaf is None:
            with write.below(f"if type({value}) in PLAIN or admit(type({value})):"):
                write.line(f"{value} = ex.complete_leaf_value({write.constant(kind)}, {value})")
                with write.below(f"if type({value}) not in {write.constant(_JSON)} and ex.is_awaitable({value}):"):
                    self._note(place, value, place.awaited(value))
            self._unless_null(value, place, "elif", is_nullable=is_nullable)
            return
        names = {name: write.constant(used) for name, used in leaf.uses.items()} | {"v": value}
        usual = leaf.usual.format_map(names)
        if leaf.converted is None:
            unusual = f"if not ({usual})" + (f" and {value} is not None:" if is_nullable else ":")
            with write.below(unusual):
                self._unusual(value, place)
            return
        with write.below(f"if {usual}:"):
            write.line(f"{value} = {leaf.converted.format_map(names)}")
        self._unless_null(value, place, "elif", is_nullable=is_nullable)

    def _list_value(self, value: str, kind: GraphQLList[Any], site: Site, place: _Place, *, is_nullable: bool) -> None:
        write = self._writer
        shown = self._shown(value, kind, site)
        if shown is not None:
            with write.below(f"if {shown} is not None:"):
                write.line(f"{value} = {shown}")
        head = "if" if shown is None else "elif"
        with write.below(f"{head} type({value}) is list or type({value}) is tuple:"):
            result, pending = self._list(value, kind, place.site, site, place.path)
            with write.below(f"if {pending} is not None:"):
                write.line(f"{result} = ex.await_items({result}, {pending})")
                write.line(f"{pending} = None")
                self._note(place, result, place.awaited(result))
            write.line(f"{value} = {result}")
        self._unless_null(value, place, "elif", is_nullable=is_nullable)

    def _shown(self, value: str, kind: GraphQLList[Any], site: Site) -> str | None:
        """Write the question for finished answers; return where they are, or None where there can be none."""
        item_type = _without_null(cast("Any", kind).of_type)
        if not isinstance(item_type, GraphQLObjectType):
            return None
        write, shape = self._writer, self._shape(item_type, site.details)
        shown = write.name("s")
        write.line(f"{shown} = None")
        with write.below(f"if isinstance({value}, Rows):"):
            if shape is not None:
                write.line(f"{shown} = {value}.answers({write.constant(shape)})")
            with write.below(f"if {shown} is None:"):
                write.line(f"{value} = {value}.objects()")
        return shown

    def _shape(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> Shape | None:
        """Return what is shown of an object where attributes are all that is asked for."""
        only = class_of(object_type)
        if only is None and not accepts_any_class(object_type):
            return None
        fields: list[ShapeField] = []
        texts: dict[str, str] = {}
        sites = self._sites(object_type, details)
        for name, site in sites:
            if site is None:
                texts[name] = object_type.name
                continue
            shown = self._shape_field(name, site)
            if shown is None:
                return None
            fields.append(shown)
        return Shape(only, tuple(name for name, _ in sites), tuple(fields), texts)

    def _shape_field(self, name: str, site: Site) -> ShapeField | None:
        attribute = attribute_of(site)
        if attribute is None or is_asynchronous(site):
            return None
        is_nullable = not isinstance(site.definition.type, GraphQLNonNull)
        kind = _without_null(site.definition.type)
        leaf = leaf_of(kind, native_dates=self._native_dates) if is_leaf_type(kind) else None
        below = self._shape(kind, site.details) if isinstance(kind, GraphQLObjectType) else None
        if leaf is None and below is None:
            return None
        return ShapeField(name, attribute, is_nullable, leaf, below)

    def _list(self, source: str, kind: GraphQLList[Any], known: str, site: Site, path: str) -> tuple[str, str]:
        """Write the completion of each item; return where the result is, and which of its indices are pending."""
        write = self._writer
        result, item, pending = write.name("a"), write.name("i"), self._pending()
        item_type = write.constant(kind.of_type)
        item_path = f"Path({path}, len({result}), None)"
        place = _Place(known, write.constant(site.details), item_path, pending, f"len({result})", item_type)
        write.line(f"{result} = []")
        with write.below("try:", is_block=True), write.below(f"for {item} in {source}:", is_block=True):
            with write.below("try:", is_block=True):
                self._value(item, kind.of_type, site, place)
            with write.below("except Exception as error:"):
                write.line(f"{item} = ex.fail({known}, {item_type}, error, {item_path})")
            write.line(f"{result}.append({item})")
        with write.below("except Exception:"):
            write.line(f"ex.abandon_items({result}, {pending}, {source})")
            write.line(f"{pending} = None")
            write.line("raise")
        return result, pending

    def _object_value(
        self, value: str, kind: GraphQLObjectType, site: Site, place: _Place, *, is_nullable: bool
    ) -> None:
        write = self._writer
        only = class_of(kind)
        if accepts_any_class(kind):
            usual = f"type({value}) in PLAIN or admit(type({value}))"
        elif only is not None:
            usual = f"type({value}) is {write.constant(only)} and not hasattr({value}, {CAST_ATTRIBUTE!r})"
        else:
            self._unless_null(value, place, "if", is_nullable=is_nullable)
            return
        with write.below(f"if {usual}:"):
            result, pending = self._object(value, kind, site.details, place.path)
            with write.below(f"if {pending} is not None:"):
                write.line(f"{result} = ex.await_fields({result}, {pending})")
                write.line(f"{pending} = None")
                self._note(place, result, place.awaited(result))
            write.line(f"{value} = {result}")
        self._unless_null(value, place, "elif", is_nullable=is_nullable)

    def _abstract_value(self, value: str, kind: Any, place: _Place, *, is_nullable: bool) -> None:
        """Objects whose class tells their type go straight to the plan of that type."""
        write = self._writer
        classes = classes_below(self._executor.schema, kind)
        if not classes:
            self._unless_null(value, place, "if", is_nullable=is_nullable)
            return
        known = write.constant(classes)
        with write.below(f"if type({value}) in {known} and not hasattr({value}, {CAST_ATTRIBUTE!r}):"):
            concrete = f"{known}[type({value})]"
            write.line(
                f"{value} = ex.collect_and_execute_subfields({concrete}, {place.details}, {place.path}, {value}, None)"
            )
            with write.below(f"if ex.is_awaitable({value}):"):
                self._note(place, value, place.awaited(value))
        self._unless_null(value, place, "elif", is_nullable=is_nullable)

    # -- what is not usual

    def _unless_null(self, value: str, place: _Place, word: str, *, is_nullable: bool) -> None:
        """Write the branch (`if`, `elif`) of values that are unusual; null is usual where it may stand."""
        head = f"{word} {value} is not None:" if is_nullable else {"if": "if True:", "elif": "else:"}[word]
        with self._writer.below(head):
            self._unusual(value, place)

    def _unusual(self, value: str, place: _Place) -> None:
        self._writer.line(f"{value} = {place.unusual(value)}")
        self._note_if_awaitable(place, value)

    def _note_if_awaitable(self, place: _Place, value: str) -> None:
        with self._writer.below(f"if ex.is_awaitable({value}):"):
            self._note(place, value, value)

    def _note(self, place: _Place, value: str, awaitable: str) -> None:
        """Write that a value is pending."""
        write, pending = self._writer, place.pending
        if awaitable != value:
            write.line(f"{value} = {awaitable}")
        if place.item_type is None:
            write.line(f"if {pending} is None: {pending} = {{}}")
            write.line(f"{pending}[{place.key}] = {value}")
        else:
            write.line(f"if {pending} is None: {pending} = []")
            write.line(f"{pending}.append({place.key})")

    def _pending(self) -> str:
        return self._unset("w")

    def _unset(self, letter: str) -> str:
        """Return a name that holds None when the function begins."""
        name = self._writer.name(letter)
        self._none_at_first.append(name)
        return name


def _without_null(kind: Any) -> Any:
    return cast("Any", kind).of_type if isinstance(kind, GraphQLNonNull) else kind


def _is_called(site: Site) -> bool:
    """Tell whether a field has a resolver, which is told its path."""
    return attribute_of(site) is None and prepare_of(site) is None
