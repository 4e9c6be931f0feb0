"""French labels of exit codes, for the screens of the people who follow notifications.

The list is open on France Travail's side: a code without a label is shown as it came.
"""

from collections.abc import Mapping
from types import MappingProxyType

from clients.france_travail.codes import EMPTY_NIR, INVALID_SIAE_KIND, MISSING_CODE, Endpoint

_SEARCH = MappingProxyType(
    {
        "PE001": "Personne trouvée et certifiée",
        "S001": "Personne trouvée",
        "PE004": "Personne non trouvée",
        "S000": "Aucune personne trouvée",
        "PE008": "Plusieurs personnes trouvées",
        "S002": "Plusieurs personnes trouvées",
        "R010": "NIR manquant",
        "R011": "NIR incorrect",
        "R020": "Nom de naissance manquant",
        "R021": "Nom de naissance incorrect",
        "R030": "Prénom manquant",
        "R031": "Prénom incorrect",
        "R040": "Date de naissance manquante",
        "R041": "Date de naissance incorrecte",
        "R042": "Date de naissance non valide",
        EMPTY_NIR: "Personne trouvée, mais sans identifiant dans la réponse",
        MISSING_CODE: "Réponse sans code de sortie",
    }
)

_NOT_INSTALLED = "Suivi délégué non installé : "
_REFUSALS = {
    "S001": "identifiant national manquant",
    "S002": "code de traitement manquant",
    "S003": "code de traitement erroné",
    "S004": "échec de la recherche de la référence du territoire (TDV)",
    "S005": "identifiant régional manquant",
    "S006": "code France Travail de la personne manquant",
    "S007": "personne inconnue de la base",
    "S008": "personne radiée",
    "S009": "inscription incomplète de la personne",
    "S010": "prise en charge (PEC) inconnue de la base",
    "S011": "demande d'emploi inconnue de la base",
    "S012": "suivi principal inconnu de la base",
    "S013": "référent du suivi principal non renseigné",
    "S014": "structure du suivi principal non renseignée",
    "S015": "un suivi délégué est déjà en cours",
    "S016": "échec de la recherche du dernier suivi délégué",
    "S017": "type de suivi de la personne hors EDS",
    "S018": "type de SIAE manquant",
    "S019": "type de SIAE erroné",
    "S020": "statut de la réponse manquant",
    "S021": "statut de la réponse erroné",
    "S022": "PASS IAE refusé",
    "S023": "date de début du PASS IAE manquante",
    "S024": "date de début du PASS IAE future",
    "S025": "date de fin du PASS IAE manquante",
    "S026": "date de fin du PASS IAE non postérieure à la date de début",
    "S027": "numéro du PASS IAE manquant",
    "S028": "origine de la candidature manquante",
    "S029": "origine de la candidature erronée",
    "S031": "SIRET de la SIAE manquant",
    "S032": "organisme générique absent du référentiel des partenaires",
    "S033": "conseiller prescripteur inconnu de la base",
    "S034": "structure prescriptrice inconnue de la base",
    "S035": "type de structure du prescripteur erroné",
    "S036": "structure prescriptrice non liée au partenaire",
    "S037": "organisme générique inconnu de la base",
    "S038": "correspondant du partenaire inconnu de la base",
    "S039": "structure du correspondant inconnue de la base",
    "S040": "structure du correspondant absente du référentiel des structures",
    "S041": "structure de suivi non autorisée",
    "S042": "adresse du correspondant inconnue de la base",
    "S043": "commune du correspondant inconnue de la base",
}

_UPDATE = MappingProxyType(
    {
        "S000": "Suivi délégué installé",
        **{code: _NOT_INSTALLED + label for code, label in _REFUSALS.items()},
        "E_ERR_D98_D_PR_PROBLEME_TECHNIQUE": "Problème technique inconnu chez France Travail",
        "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT": "Identifiant national chiffré impossible à déchiffrer",
        INVALID_SIAE_KIND: "Type de structure sans équivalent chez France Travail",
        MISSING_CODE: "Réponse sans code de sortie",
    }
)

_LABELS: Mapping[str, Mapping[str, str]] = {Endpoint.SEARCH: _SEARCH, Endpoint.UPDATE: _UPDATE}


def labels_of(endpoint: Endpoint) -> Mapping[str, str]:
    """Every listed code of that endpoint with its French label."""
    return _LABELS[endpoint]


def exit_label(endpoint: str, code: str) -> str | None:
    """The French label of a code of that endpoint ("rech_individu" or "maj_pass"). None: not a listed one."""
    labels = _LABELS.get(endpoint)
    return labels.get(code) if labels else None


def labelled_with(text: str) -> list[tuple[str, str]]:
    """The (endpoint, code) pairs whose label has this text in it, without regard to case."""
    sought = text.casefold()
    return [
        (endpoint, code)
        for endpoint, labels in _LABELS.items()
        for code, label in labels.items()
        if sought in label.casefold()
    ]
