"""States before and after an action in French words: what is stored are names and values of ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast

from models.enums import LabelledEnum, NotificationStatus, OperationKind, OperationState, WebhookEventStatus
from ops.dashboard.formatting import instant

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "status": "statut",
        "code": "code",
        "error": "erreur",
        "attempts": "essais",
        "paused": "suspendu",
        "silenced": "en sommeil",
        "since": "depuis le",
        "until": "jusqu’au",
        "author_id": "auteur",
        "reason": "motif",
        "kind": "traitement",
        "state": "état",
        "total": "nombre",
        "changed": "remis à faire",
        "skipped": "laissés",
        "filter": "critères",
    }
)
_INSTANTS = frozenset({"since", "until"})
_LABELLED: Mapping[str, tuple[type[LabelledEnum], ...]] = MappingProxyType(
    {"status": (NotificationStatus, WebhookEventStatus), "kind": (OperationKind,), "state": (OperationState,)}
)


def words_of(state: Mapping[str, Any] | None) -> str:
    """One line; what has no French name is shown as it is stored."""
    if not state:
        return "–"
    return ", ".join(f"{_NAMES.get(name, name)} : {_word(name, value)}" for name, value in state.items())


def _word(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if value is None:
        return "–"
    if isinstance(value, dict):
        return f"({words_of(cast('dict[str, Any]', value))})"
    if name in _INSTANTS:
        return _instant(str(value))
    for kind in _LABELLED.get(name, ()):
        if (found := next((member for member in kind if member.value == value), None)) is not None:
            return found.label
    return str(value)


def _instant(text: str) -> str:
    try:
        return instant(datetime.fromisoformat(text))
    except ValueError:
        return text
