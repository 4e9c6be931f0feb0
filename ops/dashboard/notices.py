"""What a page says once after an action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone`: success, warning or error."""

    text: str
    tone: str = "success"


NOTICES: Mapping[str, Notice] = MappingProxyType(
    {
        "retried": Notice("La notification est de nouveau à envoyer. Elle part dans les secondes qui viennent."),
        "retry_refused": Notice(
            "Cette notification ne peut pas être renvoyée : un envoi est en cours, ou elle n’est plus conservée.",
            "warning",
        ),
        "replayed": Notice("L’événement est de nouveau à traiter. Il l’est dans les secondes qui viennent."),
        "replay_purged": Notice(
            "Le contenu de cet événement a été effacé avec l’âge : demandez au partenaire de le renvoyer.", "warning"
        ),
        "replay_unknown": Notice(
            "Cet événement est d’un modèle que rien ne suit ici : il n’y a rien à traiter.", "warning"
        ),
        "replay_under_way": Notice("Un worker traite cet événement en ce moment. Attendez qu’il ait fini.", "warning"),
        "signed_out": Notice("Vous êtes déconnecté."),
        "bad_form": Notice(
            "Cette action n’a pas été faite : le formulaire n’est plus valable. Recommencez depuis cette page.",
            "warning",
        ),
    }
)
