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
        "replay_refused": Notice(
            "Cet événement ne peut pas être rejoué : contenu effacé, modèle que rien ne suit, ou traitement en cours.",
            "warning",
        ),
        "reveal_refused": Notice("Le contenu de cet événement ne peut plus être affiché.", "warning"),
        "run_begun": Notice("Le traitement est lancé. Cette page en montre l’avancement."),
        "run_cancelled": Notice("Ce qui restait à faire est laissé ; ce qui a été fait le demeure."),
        "run_over": Notice("Ce traitement était déjà terminé.", "warning"),
        "paused": Notice("Suspendu. Ce qui est en cours se termine ; le reste attend."),
        "resumed": Notice("Repris. Ce qui attendait part au prochain passage d’un worker."),
        "pause_conflict": Notice("Quelqu’un d’autre l’a déjà fait : voici où en sont les pauses.", "warning"),
        "alarm_silenced": Notice("L’alerte est en sommeil. Elle se réveillera d’elle-même."),
        "alarm_restored": Notice("L’alerte est réveillée."),
        "alarm_conflict": Notice("Quelqu’un d’autre l’a déjà fait : voici où en sont les alertes.", "warning"),
        "signed_out": Notice("Vous êtes déconnecté."),
        "bad_form": Notice(
            "Cette action n’a pas été faite : le formulaire n’est plus valable. Recommencez depuis cette page.",
            "warning",
        ),
    }
)
