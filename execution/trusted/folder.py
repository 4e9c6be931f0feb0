"""A front end's folder of `.graphql` files, read as operations that stand for themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    DefinitionNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    Source,
    Visitor,
    parse,
    print_ast,
    visit,
)

from execution.trusted.documents import TrustedDocument


class FolderError(Exception):
    """The folder cannot be made into operations. `str()` has one line a problem, with its place."""


@dataclass(frozen=True, slots=True)
class _Found:
    place: str
    node: DefinitionNode


def read_folder(folder: Path) -> Sequence[TrustedDocument]:
    """Return the folder's operations by name, each with the fragments of whichever file that it needs.

    Texts are printed anew: comments and layout do not change a hash. Raises FolderError.
    """
    files = sorted(folder.rglob("*.graphql"))
    if not files:
        raise FolderError(f"{folder}: no file that ends in .graphql")
    problems: list[str] = []
    operations: dict[str, _Found] = {}
    fragments: dict[str, _Found] = {}
    for found in _definitions(files, problems):
        match found.node:
            case OperationDefinitionNode(name=None):
                problems.append(f"{found.place}: an operation without a name; give it one, clients find it by that")
            case OperationDefinitionNode(name=name) if name is not None:
                _add(operations, name.value, found, problems)
            case FragmentDefinitionNode(name=name):
                _add(fragments, name.value, found, problems)
            case _:
                problems.append(f"{found.place}: a definition of types; operations and fragments expected")
    documents = [_document(name, found, fragments, problems) for name, found in sorted(operations.items())]
    if problems:
        raise FolderError("\n".join(problems))
    return documents


def _definitions(files: Sequence[Path], problems: list[str]) -> Iterator[_Found]:
    for file in files:
        try:
            document = parse(Source(file.read_text(encoding="utf-8"), str(file)))
        except UnicodeDecodeError:
            problems.append(f"{file}: not UTF-8")
        except RecursionError:
            problems.append(f"{file}: nested too deeply")
        except GraphQLError as error:
            line = error.locations[0].line if error.locations else 1
            problems.append(f"{file}:{line}: {error.message}")
        else:
            for node in document.definitions:
                line = node.loc.start_token.line if node.loc else 1
                yield _Found(f"{file}:{line}", node)


def _add(known: dict[str, _Found], name: str, found: _Found, problems: list[str]) -> None:
    if name in known:
        problems.append(f"{found.place}: {name}: the same name as at {known[name].place}; names are one in the folder")
    else:
        known[name] = found


def _document(name: str, operation: _Found, fragments: Mapping[str, _Found], problems: list[str]) -> TrustedDocument:
    needed: set[str] = set()
    left = [operation]
    while left:
        found = left.pop()
        for spread in _spreads(found.node):
            if spread not in fragments:
                problems.append(f"{found.place}: fragment {spread}: in no file of the folder")
            elif spread not in needed:
                needed.add(spread)
                left.append(fragments[spread])
    nodes = [operation.node, *(fragments[fragment].node for fragment in sorted(needed))]
    assert isinstance(operation.node, OperationDefinitionNode)  # noqa: S101 (only these were kept)
    return TrustedDocument(
        name=name, kind=operation.node.operation.value, text="\n\n".join(print_ast(node) for node in nodes)
    )


def _spreads(node: DefinitionNode) -> Sequence[str]:
    found: list[str] = []

    class Spreads(Visitor):
        def enter_fragment_spread(self, spread: FragmentSpreadNode, *_: object) -> None:
            found.append(spread.name.value)

    visit(node, Spreads())
    return found
