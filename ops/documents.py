"""`traverse operations`: the manifest of a front end's operations, and whether it fits this version of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rich.table import Table

from execution.engine import GraphQLEngine, OperationRequest, RequestRefused
from execution.limits import Limits, operation_cost
from execution.trusted.documents import TrustedDocument
from execution.trusted.folder import read_folder
from execution.trusted.manifest import manifest_text, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build changed. `retired`: in the manifest still, for the front ends that people have open."""

    total: int
    added: Sequence[str]
    retired: Sequence[str]
    forgotten: Sequence[str]

    def sentences(self, manifest: Path) -> Iterator[str]:
        for names, what in (
            (self.added, "added"),
            (self.retired, "no longer in the folder, kept for front ends that are still open"),
            (self.forgotten, "forgotten: front ends that still send it are refused"),
        ):
            yield from (f"{name}: {what}" for name in names)
        yield f"{manifest}: {self.total} documents."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`costs`: of each document that the server accepts, with default page sizes where a variable gives them."""

    documents: Sequence[TrustedDocument]
    costs: Mapping[str, int]
    problems: Sequence[str]

    def table(self) -> Table:
        table = Table("operation", "type", "cost", "since", "documentId")
        for document in self.documents:
            state = "in use" if document.retired_on is None else f"retired {document.retired_on}"
            cost = self.costs.get(document.hash)
            table.add_row(
                document.name, document.kind, "refused" if cost is None else f"{cost:,}", state, document.hash[:12]
            )
        return table


def build_manifest(folder: Path, manifest: Path, *, today: date, forget_before: date | None = None) -> Built:
    """Write the manifest of a folder's operations. Raises FolderError, ManifestError.

    What the manifest held before and the folder does not is kept as retired since `today`, and dropped once it was
    retired before `forget_before`.
    """
    current = {document.hash: document for document in read_folder(folder)}
    before = {document.hash: document for document in (read_manifest(manifest) if manifest.exists() else ())}
    retired = [
        replace(document, retired_on=document.retired_on or today)
        for hash_, document in before.items()
        if hash_ not in current
    ]
    kept = [
        document
        for document in retired
        if forget_before is None or document.retired_on is None or document.retired_on >= forget_before
    ]
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(manifest_text([*current.values(), *kept]), encoding="utf-8")
    return Built(
        total=len(current) + len(kept),
        added=[document.name for hash_, document in current.items() if hash_ not in before],
        retired=[document.name for document in kept if before[document.hash].retired_on is None],
        forgotten=[document.name for document in retired if document not in kept],
    )


def check_manifest(
    folder: Path, manifest: Path, engine: GraphQLEngine, limits: Limits, *, deployed: Path | None = None
) -> Checked:
    """Compare a manifest with its folder, with the server's schema and limits, and with the manifest in production.

    `limits` are the engine's.
    Raises FolderError, ManifestError.
    """
    documents = read_manifest(manifest)
    costs: dict[str, int] = {}
    problems = list(_differences(read_folder(folder), documents, manifest))
    for document in documents:
        try:
            node, operation = engine.prepare(OperationRequest(query=document.text))
            costs[document.hash] = operation_cost(engine.schema, node, operation, {}, limits)
        except RequestRefused as refused:
            problems += [f"{_named(document)}: {error.message}" for error in refused.errors]
    if deployed is not None:
        here = {document.hash for document in documents}
        problems += [
            f"{_named(document)}: in {deployed} and gone from {manifest}, although front ends that are still open send"
            " it; build with the deployed manifest in place, which keeps it"
            for document in read_manifest(deployed)
            if document.hash not in here
        ]
    return Checked(documents=documents, costs=costs, problems=problems)


def _differences(
    folder: Sequence[TrustedDocument], documents: Sequence[TrustedDocument], manifest: Path
) -> Iterator[str]:
    current = {document.hash for document in folder}
    listed = {document.hash for document in documents if document.retired_on is None}
    for document in folder:
        if document.hash not in listed:
            yield f"{document.name}: not in {manifest} as it is now; run `traverse operations build`"
    for document in documents:
        if document.retired_on is None and document.hash not in current:
            yield f"{_named(document)}: not in the folder any more; run `traverse operations build`"


def _named(document: TrustedDocument) -> str:
    since = "" if document.retired_on is None else f", retired {document.retired_on}"
    return f"{document.name} ({document.hash[:12]}{since})"
