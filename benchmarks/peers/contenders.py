"""The others of the comparison, as contenders: the stock way in Python, PostGraphile, and mercurius in two ways.

All do what Traverse does: verify the token, look the account and its membership up, show only what it may see. Each has
one process, ten connections and the same settings of PostgreSQL, those of models/database.py that matter to a plan.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from benchmarks import load
from benchmarks.contender import Contender, read_json
from benchmarks.peers import node_packages, postgraphile
from benchmarks.work import WORKS, Work
from models.database import connection_parameters

STOCK = "Strawberry + Tortoise"
POSTGRAPHILE = "PostGraphile"
MERCURIUS = "mercurius, loaders"
MERCURIUS_JOINED = "mercurius, one statement"

_PLANNER = "-c jit=off -c random_page_cost=1.1 -c TimeZone=UTC"


async def peers(environ: Mapping[str, str], tokens: Mapping[str, str], *, installs: bool = True) -> Sequence[Contender]:
    """Return them all, ready to be started; those that cannot run here say why.

    `environ`: the settings of Traverse over the seeded database, whose user may create a schema; `tokens`: by subject;
    `installs`: whether packages of Node.js that are missing are fetched.
    """
    settings = {"AUTH_ISSUER": "traverse-development", "AUTH_AUDIENCE": "traverse", **environ}
    requests = {work.name: _post(work, _body(work), tokens) for work in WORKS.values()}
    asked_otherwise = {work.name: _post(work, postgraphile.body(work), tokens) for work in WORKS.values()}
    await postgraphile.create_views(environ["DATABASE_URL"])
    try:
        node, absent = await (node_packages.install() if installs else node_packages.installed()), None
    except node_packages.NodeAbsent as why:
        node, absent = Path("node"), str(why)
    node_settings = settings | _database_of_node(environ["DATABASE_URL"]) | {"NODE_ENV": "production"}

    def of_node(name: str, script: str, requests: Mapping[str, bytes], **more: str) -> Contender:
        return Contender(
            name=name,
            command=lambda port: [str(node), str(node_packages.FOLDER / script), str(port)],
            environ=node_settings | more,
            requests=requests,
            read=postgraphile.read if name == POSTGRAPHILE else read_json,
            absent_because=absent,
        )

    return [
        Contender(name=STOCK, command=_stock, environ=settings, requests=requests),
        of_node(POSTGRAPHILE, "postgraphile.mjs", asked_otherwise, GRAPHILE_ENV="production"),
        of_node(MERCURIUS, "mercurius.mjs", requests, MERCURIUS_READS="loaders"),
        of_node(MERCURIUS_JOINED, "mercurius.mjs", requests, MERCURIUS_READS="joined"),
    ]


def _stock(port: int) -> Sequence[str]:
    options = ["--factory", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "benchmarks.peers.stock.app:build", "--port", str(port), *options]


def _body(work: Work) -> bytes:
    return orjson.dumps({"query": work.document, "variables": work.variables})


def _post(work: Work, body: bytes, tokens: Mapping[str, str]) -> bytes:
    return load.post("/graphql", body, tokens[work.subject])


def _database_of_node(url: str) -> dict[str, str]:
    """The variables from which `pg` reads where the database is, as libpq does."""
    parameters = connection_parameters(url)
    variables = {
        "PGHOST": parameters["host"],
        "PGPORT": str(parameters["port"]),
        "PGUSER": parameters["user"],
        "PGDATABASE": parameters["database"],
        "PGOPTIONS": _PLANNER,
    }
    if parameters["password"]:
        variables["PGPASSWORD"] = parameters["password"]
    return variables
