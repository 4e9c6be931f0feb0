"""What the first request of each document waits for before anything runs, with and without a manifest.

`python -m benchmarks.first_request [MANIFEST]` prints, for each document, the time to make it ready when it comes
for the first time as a text, and when it was ready since the start, and what the manifest adds to the start of a
process.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

from execution.engine import GraphQLEngine, OperationRequest
from execution.limits import Limits
from execution.trusted.documents import PREFIX, TrustedDocuments
from execution.trusted.manifest import read_manifest
from schema.build import build_schema

ROUNDS = 11
EXAMPLE = Path(__file__).parents[1] / "examples" / "spa" / "operations.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", nargs="?", type=Path, default=EXAMPLE)
    manifest: Path = parser.parse_args().manifest
    schema, documents = build_schema(), list(read_manifest(manifest))
    table = Table("operation", "as a text, ms", "by its hash, ms")
    starts: list[float] = []
    texts: dict[str, list[float]] = {}
    hashes: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        without = GraphQLEngine(schema, Limits())
        begun = perf_counter()
        with_them = GraphQLEngine(schema, Limits(), trusted=TrustedDocuments(documents))
        starts.append(perf_counter() - begun)
        for document in documents:
            texts.setdefault(document.name, []).append(_seconds(without, OperationRequest(query=document.text)))
            asked = OperationRequest(document_id=PREFIX + document.hash)
            hashes.setdefault(document.name, []).append(_seconds(with_them, asked))
    for name, measured in texts.items():
        table.add_row(name, f"{median(measured) * 1000:.2f}", f"{median(hashes[name]) * 1000:.2f}")
    console = Console()
    console.print(table)
    console.print(f"{len(documents)} documents add {median(starts) * 1000:.0f} ms to the start; medians of {ROUNDS}.")


def _seconds(engine: GraphQLEngine, asked: OperationRequest) -> float:
    begun = perf_counter()
    engine.prepare(asked)
    return perf_counter() - begun


if __name__ == "__main__":
    main()
