"""Imports of libraries, without what they bring along and nobody here uses.

Packages import all of themselves, so that whoever uses them needs one line: the client of Valkey comes with clusters,
uvicorn with a command line, graphql-core with what compares schemas. Once `install()` was called, names of the packages
below are found when they are first asked for, modules that are imported for rare moments run in the first of these, and
what some libraries take if it happens to be there is not there. All of it changes when something is imported, and
nothing about what is.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import LazyLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

# Whose names are found later.
PACKAGES = frozenset(
    {
        "arq",
        "graphql",
        "graphql.execution",
        "graphql.language",
        "graphql.pyutils",
        "graphql.type",
        "graphql.utilities",
        "graphql.validation",
        "prometheus_client",
        "redis",
        "redis.asyncio",
        "strawberry",
        "strawberry.extensions",
        "strawberry.federation",
        "uvicorn",
        "uvicorn.supervisors",
    }
)
# Imported once each: for uvicorn's settings of logs, and stdnum's list of its formats.
LATER = frozenset({"logging.config", "pydoc"})
# What each of these does without, as if it were not installed. Tracebacks with values in them are not wanted here, a
# command line is not wanted of httpx, contexts of greenlets are those of nobody, forms are read by ops/, and no column
# holds an object of pydantic's.
WITHOUT = {
    "httpx": ("httpx._main",),
    "starlette.formparsers": ("python_multipart", "multipart"),
    "starlette.requests": ("python_multipart", "multipart"),
    "structlog._greenlets": ("greenlet",),
    "structlog.dev": ("rich",),
    "structlog.threadlocal": ("greenlet",),
    "tortoise.fields.data": ("pydantic",),
    "uvicorn.supervisors": ("watchfiles",),
}


def install() -> None:
    """Import what is not imported yet in this way. Again changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        replaced = _LOADERS.get(fullname)
        if replaced is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        # Anything but a file of Python is imported as usual.
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = replaced(spec.loader)
        return spec


class _WithoutLoader(SourceFileLoader):
    """Keeps what a module does without from being found while the module runs."""

    def exec_module(self, module: ModuleType) -> None:
        names = WITHOUT.get(module.__name__, ())
        before = {name: sys.modules[name] for name in names if name in sys.modules}
        for name in names:
            sys.modules[name] = None  # pyright: ignore[reportArgumentType]: Python's own way to say that it is absent
        try:
            super().exec_module(module)
        finally:
            for name in names:
                del sys.modules[name]
            sys.modules.update(before)


class _LaterLoader(_WithoutLoader):
    """Runs the `__init__` of a package without its imports of itself, and finds their names when asked for them."""

    def __init__(self, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._names = _Names(fullname, Path(path).parent)

    def get_code(self, fullname: str) -> CodeType:
        # Never from the cache of bytecode, and never into it: what is compiled here is not what the file says.
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        self._names.take_from(tree)
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        own = module.__dict__
        own_search: Callable[[str], Any] | None = None

        def find(name: str) -> Any:
            try:
                source, attribute = self._names.found[name]
            except KeyError:
                if own_search is not None:
                    return own_search(name)
                # Whoever imports a package may go on to its modules.
                if name in self._names.submodules:
                    return import_module(f"{module.__name__}.{name}")
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from None
            value: Any = import_module(source)
            own[name] = value = getattr(value, attribute) if attribute else value
            return value

        own["_found_later"] = self._names.found
        # Its modules ask it for names while it is still being imported.
        own["__getattr__"] = find
        module.__class__ = _Package
        super().exec_module(module)
        if own["__getattr__"] is not find:
            own_search, own["__getattr__"] = own["__getattr__"], find


class _Package(ModuleType):
    """When a function and the submodule that it comes from share a name, it stays that of the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        source, attribute = self.__dict__["_found_later"].get(name, ("", ""))
        if attribute and isinstance(value, ModuleType) and value.__name__ == source == f"{self.__name__}.{name}":
            value = getattr(value, attribute)
        super().__setattr__(name, value)


class _Names:
    """`found`: of each name that an `__init__` imports from its own package, the module and what it is called there.

    Names that the rest of the file uses are imported as it says; so is one that some other submodule bears, since
    whoever imports that one would put it in the place of the name.
    """

    def __init__(self, package: str, folder: Path) -> None:
        self.found: dict[str, tuple[str, str]] = {}
        self._package = package
        self.submodules = {name for entry in folder.iterdir() if (name := entry.name.partition(".")[0]).isidentifier()}

    def take_from(self, tree: ast.Module) -> None:
        """Take these imports out of the file, and keep their names."""
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        body: list[ast.stmt] = []
        for statement in tree.body:
            source = self._source(statement) if isinstance(statement, ast.ImportFrom) else None
            if source is None or not isinstance(statement, ast.ImportFrom):
                body.append(statement)
                continue
            statement.names = [alias for alias in statement.names if not self._is_taken(source, alias, used)]
            if statement.names:
                body.append(statement)
        tree.body = body

    def _is_taken(self, source: str, alias: ast.alias, used: set[str]) -> bool:
        name = alias.asname or alias.name
        if name == "*" or name in used:
            return False
        if source == self._package:
            # Of itself, a package imports its modules; anything else it has made before.
            if alias.name not in self.submodules:
                return False
            self.found[name] = (f"{source}.{alias.name}", "")
        elif name in self.submodules and source != f"{self._package}.{name}":
            return False
        else:
            self.found[name] = (source, alias.name)
        return True

    def _source(self, statement: ast.ImportFrom) -> str | None:
        """The module of this package that is imported from, if it is one."""
        if statement.level == 1:
            return f"{self._package}.{statement.module}" if statement.module else self._package
        if statement.level == 0 and f"{statement.module}.".startswith(f"{self._package}."):
            return statement.module
        return None


_LOADERS: dict[str, Callable[[SourceFileLoader], Loader]] = {
    **dict.fromkeys(WITHOUT, lambda usual: _WithoutLoader(usual.name, usual.path)),
    **dict.fromkeys(PACKAGES, lambda usual: _LaterLoader(usual.name, usual.path)),
    # The standard library's takes a second `import` of a module for its first use.
    **dict.fromkeys(LATER, LazyLoader),
}
