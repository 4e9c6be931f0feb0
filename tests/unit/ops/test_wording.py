"""What an action changed, as operators read it."""

from __future__ import annotations

from typing import Any

import pytest

from ops.dashboard.wording import words_of


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "–"),
        ({}, "–"),
        ({"code": "S008", "status": "notification_error"}, "code : S008, statut : En erreur"),
        ({"status": "failed", "error": None, "attempts": 3}, "statut : En échec, erreur : –, essais : 3"),
        ({"paused": True}, "suspendu : oui"),
        (
            {"silenced": True, "until": "2026-07-01T10:00:00+00:00"},
            "en sommeil : oui, jusqu’au : 01/07/2026 à 12:00:00",
        ),
        (
            {"kind": "retry_notifications", "filter": {"status": "notification_error"}},
            "traitement : Relance de notifications, critères : (statut : En erreur)",
        ),
        ({"until": "demain", "status": "of_another_version"}, "jusqu’au : demain, statut : of_another_version"),
    ],
)
def test_a_state_is_told_in_french_and_what_is_unknown_as_it_is(state: dict[str, Any] | None, words: str):
    assert words_of(state) == words
