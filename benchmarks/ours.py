"""Traverse as a contender, started as operators start it; and the limit beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from benchmarks import load
from benchmarks.contender import Contender
from benchmarks.ground import Ground, Pages
from benchmarks.work import WORKS

TRAVERSE, PLANS_OFF, LIMIT = "Traverse", "Traverse, plans off", "limit (no GraphQL)"
_SERVE = "from cli import main; main()"
_PATHS_OF_LIMIT = {"Q1": "/page", "Q2": "/person", "Q3": "/approvals"}


def traverse(ground: Ground, pages: Pages, *, processes: int = 1, name: str = TRAVERSE, **settings: str) -> Contender:
    """`traverse serve` over that database; `settings` add to those of every contender."""
    tokens = ground.tokens(pages)
    return Contender(
        name=name,
        command=serving(processes),
        environ=ground.environ(pages.url, **settings),
        requests={work.name: graphql(work.document, work.variables, tokens[work.subject]) for work in WORKS.values()},
    )


def serving(processes: int = 1) -> Callable[[int], list[str]]:
    """The command of the API, by its port."""
    options = ["--host", "127.0.0.1", "--workers", str(processes)]
    return lambda port: [sys.executable, "-c", _SERVE, "serve", "--port", str(port), *options]


def graphql(document: str, variables: Mapping[str, Any], token: str) -> bytes:
    return load.post("/graphql", orjson.dumps({"query": document, "variables": variables}), token)


def limit(ground: Ground, pages: Pages, *, processes: int = 1) -> Contender:
    options = ["--factory", "--no-access-log", "--log-level", "warning", "--workers", str(processes)]
    tokens = ground.tokens(pages)
    return Contender(
        name=LIMIT,
        command=lambda port: [sys.executable, "-m", "uvicorn", "benchmarks.limit:build", "--port", str(port), *options],
        environ=ground.environ(pages.url),
        requests={
            work.name: load.post(
                _PATHS_OF_LIMIT[work.name], orjson.dumps({"variables": work.parameters}), tokens[work.subject]
            )
            for work in WORKS.values()
        },
    )
