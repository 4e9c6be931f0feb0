"""From a folder of operations to documents and their manifest."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from execution.trusted.documents import TrustedDocument, TrustedDocuments, hash_of
from execution.trusted.folder import FolderError, read_folder
from execution.trusted.manifest import ManifestError, manifest_text, read_manifest

PAGE = "query Page { item { ...Name } }"
NAME = "fragment Name on Item { name }"


def folder_of(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.graphql").write_text(text)
    return path


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(FolderError) as refused:
        read_folder(folder)
    return f"{refused.value}".splitlines()


def test_an_operation_takes_along_the_fragments_that_it_needs_from_whichever_file(tmp_path: Path):
    parts = "fragment Parts on Item { parts { ...Name } }"
    unused = "fragment Unused on Item { name }"
    folder_of(tmp_path, a=f"{PAGE} {unused}", b="query Whole { item { ...Parts } }", c=f"{NAME} {parts}")

    page, whole = read_folder(tmp_path)

    assert (page.name, page.kind) == ("Page", "query")
    assert page.text == "query Page {\n  item {\n    ...Name\n  }\n}\n\nfragment Name on Item {\n  name\n}"
    assert ["fragment " + part.split()[0] for part in whole.text.split("fragment ")[1:]] == [
        "fragment Name",
        "fragment Parts",
    ]


def test_comments_layout_and_files_do_not_change_a_hash(tmp_path: Path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    folder_of(tmp_path / "one", a=PAGE, b=NAME)
    folder_of(tmp_path / "two", z=f"# a page\n\n{NAME}\n\nquery Page {{\n\titem {{ ...Name }}\n}}")

    [one], [two] = read_folder(tmp_path / "one"), read_folder(tmp_path / "two")

    assert one.hash == two.hash == hashlib.sha256(one.text.encode()).hexdigest()


def test_everything_that_is_wrong_is_told_at_once_with_its_place(tmp_path: Path):
    folder_of(
        tmp_path,
        anonymous="{ item { name } }",
        broken="query {\n  item {",
        lonely="query Lonely { item { ...Nowhere } }",
        once=PAGE,
        twice=f"{PAGE} {NAME}",
        types="type Item { name: String }",
    )

    problems = problems_of(tmp_path)

    assert [problem.removeprefix(f"{tmp_path}/").split(": ")[0] for problem in problems] == [
        "anonymous.graphql:1",
        "broken.graphql:2",
        "twice.graphql:1",
        "types.graphql:1",
        "lonely.graphql:1",
    ]
    assert "in no file of the folder" in problems[-1]


def test_a_folder_without_operations_is_no_folder_of_operations(tmp_path: Path):
    assert "no file that ends in .graphql" in problems_of(tmp_path)[0]


def test_a_manifest_is_the_same_whatever_the_order_and_is_read_as_it_was_written(tmp_path: Path):
    documents = [
        TrustedDocument(name="B", kind="query", text="query B { item { name } }"),
        TrustedDocument(name="A", kind="mutation", text="mutation A { sell }", retired_on=date(2026, 11, 2)),
        TrustedDocument(name="A", kind="mutation", text="mutation A { sold: sell }"),
    ]
    path = tmp_path / "operations.json"

    path.write_text(manifest_text(documents))

    assert manifest_text(reversed(documents)) == path.read_text()
    assert {document.hash: document for document in read_manifest(path)} == {
        document.hash: document for document in documents
    }
    assert [document.retired_on for document in read_manifest(path)] == [date(2026, 11, 2), None, None]


def entry(**changed: Any) -> dict[str, Any]:
    body = "query A { item { name } }"
    return {"id": hash_of(body), "name": "A", "type": "query", "body": body, **changed}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("nothing of JSON", "not JSON"),
        ("[" * 100_000, "not JSON"),
        (json.dumps([]), "a JSON object"),
        (json.dumps({"operations": []}), '"format"'),
        (json.dumps({"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}), '"version": 1'),
        ({}, "operations: a list"),
        ([5], "operations[0]: a JSON object"),
        ([entry(), entry(body=5)], "operations[1]: body: a text"),
        ([entry(type="fragment")], "type: one of query, mutation, subscription"),
        ([entry(body="query A { item { id } }")], "id: not the SHA-256 of body"),
        ([entry(retiredOn="yesterday")], "retiredOn: a day"),
        ([entry(retiredOn=20261122)], "retiredOn: a day"),
        ([entry(body="\ud800")], "half a surrogate pair"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_place(tmp_path: Path, content: Any, expected: str):
    path = tmp_path / "operations.json"
    whole = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": content}
    path.write_text(content if isinstance(content, str) else json.dumps(whole))

    with pytest.raises(ManifestError) as refused:
        read_manifest(path)

    assert f"{refused.value}".startswith(f"{path}: ")
    assert expected in f"{refused.value}"


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ManifestError, match=r"operations\.json: cannot be read"):
        read_manifest(tmp_path / "operations.json")


def test_what_one_front_end_retired_and_another_uses_is_in_use():
    used = TrustedDocument(name="A", kind="query", text="query A { item { name } }")
    retired = TrustedDocument(name="A", kind="query", text=used.text, retired_on=date(2026, 1, 1))

    for documents in ([used, retired], [retired, used]):
        assert list(TrustedDocuments(documents)) == [used]


def test_a_document_is_found_by_its_prefixed_hash_alone():
    document = TrustedDocument(name="A", kind="query", text="query A { item { name } }")
    known = TrustedDocuments([document])

    assert known.find(f"sha256:{document.hash}") is document
    assert known.find(document.hash) is None
    assert known.find(f"sha256:{document.hash.upper()}") is None
    assert known.find(f"sha256:{'0' * 64}") is None
    assert known.find_text(document.text) is document
    assert known.find_text(f"{document.text} ") is None
