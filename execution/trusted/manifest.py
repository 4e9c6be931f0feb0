"""Manifests: files of trusted documents, written when a front end is built and read when the server starts.

Their form is the one that Apollo's tools write and clients read, so that either side may be another program: an object
with `format`, `version` and `operations`, each of which has `id` (the hash), `name`, `type` and `body`. Ours adds
`retiredOn`. Source: https://www.apollographql.com/docs/graphos/platform/security/persisted-queries
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

from execution.trusted.documents import PREFIX, TrustedDocument

FORMAT = "apollo-persisted-query-manifest"
VERSION = 1
KINDS = ("query", "mutation", "subscription")


class ManifestError(Exception):
    """What was given is no manifest. `str()` names the file, the place, and what was expected."""


def read_manifest(path: Path) -> Sequence[TrustedDocument]:
    """Return a manifest's documents, in its order. Raises ManifestError."""
    try:
        content: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise ManifestError(f"{path}: not JSON in UTF-8") from None
    if not isinstance(content, dict):
        raise ManifestError(f"{path}: a JSON object expected")
    members = cast("dict[str, Any]", content)
    if members.get("format") != FORMAT or members.get("version") != VERSION:
        raise ManifestError(f'{path}: "format": "{FORMAT}" and "version": {VERSION} expected')
    operations: Any = members.get("operations")
    if not isinstance(operations, list):
        raise ManifestError(f"{path}: operations: a list expected")
    return [_document(entry, f"{path}: operations[{n}]") for n, entry in enumerate(cast("list[Any]", operations))]


def manifest_text(documents: Iterable[TrustedDocument]) -> str:
    """Return a manifest's text: the same for the same documents, whatever their order."""
    ordered = sorted(documents, key=lambda document: (document.name, document.retired_on or date.max, document.hash))
    content = {"format": FORMAT, "version": VERSION, "operations": [_entry(document) for document in ordered]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _entry(document: TrustedDocument) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": document.hash, "name": document.name, "type": document.kind, "body": document.text}
    if document.retired_on is not None:
        entry["retiredOn"] = document.retired_on.isoformat()
    return entry


def _document(entry: Any, place: str) -> TrustedDocument:
    if not isinstance(entry, dict):
        raise ManifestError(f"{place}: a JSON object expected")
    members = cast("dict[str, Any]", entry)
    for name in ("id", "name", "type", "body"):
        if not isinstance(members.get(name), str):
            raise ManifestError(f"{place}: {name}: a text expected")
    if members["type"] not in KINDS:
        raise ManifestError(f"{place}: type: one of {', '.join(KINDS)} expected")
    try:
        document = TrustedDocument(
            name=members["name"], kind=members["type"], text=members["body"], retired_on=_day(members, place)
        )
        if members["id"].removeprefix(PREFIX) != document.hash:
            raise ManifestError(f"{place}: id: not the SHA-256 of body; build the manifest again")
    except UnicodeEncodeError:
        raise ManifestError(f"{place}: body: half a surrogate pair, text expected") from None
    return document


def _day(members: Mapping[str, Any], place: str) -> date | None:
    given = members.get("retiredOn")
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise ManifestError(f"{place}: retiredOn: a day as in 2026-11-22 expected") from None
