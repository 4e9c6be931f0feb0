"""Documents that were agreed upon before anybody asks: found by the SHA-256 of their text.

Source: GraphQL over HTTP, Appendix A, "Persisted Documents".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

PREFIX = "sha256:"

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


def hash_of(text: str) -> str:
    """Return what a document is called by: the lower-case hexadecimal SHA-256 of its text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_hash(text: str) -> bool:
    return _HASH.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedDocument:
    """One operation with the fragments that it spreads. `kind`: query, mutation or subscription.

    `retired_on`: the day on which the front end's source held it no more; those that people still have open send it.
    """

    name: str
    kind: str
    text: str
    retired_on: date | None = None

    @property
    def hash(self) -> str:
        return hash_of(self.text)


class TrustedDocuments:
    """The documents that a process knows, of all its front ends."""

    def __init__(self, documents: Iterable[TrustedDocument] = ()) -> None:
        self._by_hash: dict[str, TrustedDocument] = {}
        for document in documents:
            # Two front ends may share an operation: it is retired when neither has it any more.
            known = self._by_hash.get(document.hash)
            if known is None or document.retired_on is None:
                self._by_hash[document.hash] = document
        self._hashes_by_text = {document.text: hash_ for hash_, document in self._by_hash.items()}

    def __iter__(self) -> Iterator[TrustedDocument]:
        return iter(self._by_hash.values())

    def __len__(self) -> int:
        return len(self._by_hash)

    def find(self, document_id: str) -> TrustedDocument | None:
        """Return the document of an identifier, `sha256:` and its hash; None for one that is not known."""
        return self._by_hash.get(document_id.removeprefix(PREFIX)) if document_id.startswith(PREFIX) else None

    def find_text(self, text: str) -> TrustedDocument | None:
        """Return the document whose text this is, to the letter."""
        found = self._hashes_by_text.get(text)
        return None if found is None else self._by_hash[found]
