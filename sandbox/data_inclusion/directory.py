"""The records of the directory: a few that tests know by name, and many like them."""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sandbox.cast import COMPANIES, siret_of
from sandbox.data_inclusion.places import METZ, PLACES, Place

JSON = dict[str, Any]

OWN_SOURCE = "emplois-de-linclusion"
# Two structures that the platform would know by its own id, if it had them.
PLATFORM_UIDS = ("7b1d2c34-5e6f-4a7b-8c9d-0e1f2a3b4c5d", "9c2e3d45-6f7a-4b8c-9d0e-1f2a3b4c5d6e")
SOURCES = (
    ("dora", "DORA"),
    (OWN_SOURCE, "Emplois de l'inclusion"),
    ("france-travail", "France Travail"),
    ("mission-locale", "Missions locales"),
    ("mediation-numerique", "Médiation numérique"),
    ("reseau-alpha", "Réseau Alpha"),
    ("cd35", "Département d'Ille-et-Vilaine"),
    ("fredo", "Fredo"),
    ("carif-oref", "Carif-Oref"),
)
_BULK_SOURCES = ("dora", "mediation-numerique", "reseau-alpha", "fredo", "carif-oref")
_KINDS = (
    ("Atelier", "mobilite--preparer-un-permis", "aci"),
    ("Relais", "numerique--acquerir-un-equipement", None),
    ("Maison", "logement-hebergement--chercher-un-logement", "ccas-cias"),
    ("Permanence", "difficultes-financieres--gerer-un-budget", None),
    ("École", "lecture-ecriture-calcul--ameliorer-son-francais", "reseau-alpha"),
    ("Cap", "trouver-un-emploi--preparer-sa-candidature", "plie"),
)
_NAMES = ("des Deux Rives", "du Tilleul", "de la Passerelle", "du Grand Pré", "des Lanternes", "du Moulin Neuf")
# Metz alone fills more than a page of a thousand.
_IN_METZ, _ELSEWHERE = 1_030, 24


class Record(NamedTuple):
    place: Place
    structure: JSON
    themes: tuple[str, ...]  # of its services; without one it has none


@cache
def directory() -> Mapping[str, Record]:
    """Every record by its id, in the order of ids as the API lists them; the same ones in every process."""
    records = [*_well_known(), *_platforms_own()]
    for place in PLACES:
        records.extend(_bulk(place, _IN_METZ if place is METZ else _ELSEWHERE))
    records.sort(key=lambda record: record.structure["id"])
    return MappingProxyType({record.structure["id"]: record for record in records})


def odd_records() -> list[JSON]:
    """What a directory fed by many hands holds as well."""
    return [
        {"source": "fredo", "id": "fredo--zz-sans-score", "nom": "Sans score", "score_qualite": None, "doublons": []},
        {"source": "fredo", "id": "fredo--zz-sans-nom", "score_qualite": 0.5, "doublons": []},
    ]


def services_of(record: Record) -> list[JSON]:
    """Their mean quality is the structure's, as the API computes it."""
    structure = record.structure
    return [
        {
            "id": f"{structure['id']}-service-{number}",
            "source": structure["source"],
            "structure_id": structure["id"],
            "nom": f"Service {number} de {structure['nom']}",
            "description": "Un service inventé.",
            "date_maj": structure["date_maj"],
            "type": "accompagnement",
            "thematiques": [theme],
            "publics": ["tous-publics"],
            "frais": "gratuit",
            "modes_accueil": ["en-presentiel"],
            "modes_mobilisation": ["se-presenter"],
            "mobilisable_par": ["usagers", "professionnels"],
            "commune": structure["commune"],
            "code_insee": structure["code_insee"],
            "score_qualite": structure["score_qualite"],
        }
        for number, theme in enumerate(record.themes, start=1)
    ]


def _structure(id_: str, name: str, place: Place, **changes: Any) -> JSON:
    source = id_.split("--")[0]
    return {
        "source": source,
        "id": id_,
        "nom": name,
        "date_maj": "2026-09-14",
        "description": None,
        "siret": None,
        "adresse": "1 rue des Tilleuls Inventés",
        "complement_adresse": None,
        "commune": place.name,
        "code_postal": place.post_code,
        "code_insee": place.insee_code,
        "longitude": place.longitude,
        "latitude": place.latitude,
        "telephone": None,
        "courriel": None,
        "site_web": None,
        "lien_source": f"https://{source}.exemple.test/structures/{id_}",
        "horaires_accueil": None,
        "accessibilite_lieu": None,
        "reseaux_porteurs": None,
        "adresse_certifiee": True,
        "score_qualite": 0.0,
        "doublons": [],
        **changes,
    }


def _own_reference(uid: str) -> JSON:
    return {"source": OWN_SOURCE, "id": f"{OWN_SOURCE}--{uid}"}


def _well_known() -> Iterator[Record]:
    """Each shows one thing; all of them in Metz."""
    mobility = ("mobilite--preparer-un-permis",)
    yield Record(
        METZ,
        _structure(
            "dora--atelier-deux-roues",
            "Atelier Deux-Roues",
            METZ,
            siret=siret_of(70_310_000),
            description='Prêt de <b>scooters</b>, <a href="https://exemple.test">voir</a>.',
            telephone="+33300000001",
            courriel="contact@deux-roues.exemple.test",
            site_web="https://deux-roues.exemple.test/",
            horaires_accueil="Mo-Fr 09:00-17:00",
            reseaux_porteurs=["mobin"],
            score_qualite=0.82,
        ),
        mobility,
    )
    yield Record(
        METZ,
        _structure(
            "mission-locale--trois-vallees",
            "Mission locale des Trois Vallées",
            METZ,
            siret=siret_of(70_310_001),
            reseaux_porteurs=["mission-locale"],
            doublons=[_own_reference(PLATFORM_UIDS[0])],
        ),
        (),
    )
    # The same establishment as one of the sandbox's companies, under another name.
    yield Record(
        METZ,
        _structure(
            "dora--jardins-autrement",
            "Jardins de l'Échelle (antenne)",
            METZ,
            siret=COMPANIES[0].siret,
            reseaux_porteurs=["aci"],
            score_qualite=0.64,
        ),
        mobility,
    )
    # The same SIREN, another establishment.
    yield Record(
        METZ,
        _structure(
            "dora--jardins-second-site",
            "Jardins de l'Échelle, second site",
            METZ,
            siret=siret_of(int(COMPANIES[0].siret[:8]), establishment=2),
            score_qualite=0.58,
        ),
        mobility,
    )
    yield Record(
        METZ,
        _structure(
            "fredo--reseau-nouveau", "Réseau Tout Nouveau", METZ, reseaux_porteurs=["nouveau-reseau"], score_qualite=0.4
        ),
        ("numerique--acquerir-un-equipement",),
    )


def _platforms_own() -> Iterator[Record]:
    for uid, company in zip(PLATFORM_UIDS, COMPANIES, strict=False):
        structure = _structure(f"{OWN_SOURCE}--{uid}", company.name, METZ, siret=company.siret, score_qualite=0.3)
        yield Record(METZ, structure, ("trouver-un-emploi--preparer-sa-candidature",))


def _bulk(place: Place, count: int) -> Iterator[Record]:
    for number in range(count):
        kind, theme, network = _KINDS[number % len(_KINDS)]
        source = _BULK_SOURCES[number % len(_BULK_SOURCES)]
        has_services = number % 7 != 0
        structure = _structure(
            f"{source}--{place.insee_code.lower()}-{number:04d}",
            f"{kind} {_NAMES[number // len(_KINDS) % len(_NAMES)]} de {place.name}, antenne {number + 1}",
            place,
            siret=None if number % 3 == 0 else siret_of(71_000_000 + int(place.insee_code[-3:]) * 2_000 + number),
            adresse=f"{number % 90 + 1} rue des Tilleuls Inventés",
            longitude=round(place.longitude + (number % 40 - 20) / 1_000, 6),
            latitude=round(place.latitude + (number % 30 - 15) / 1_000, 6),
            reseaux_porteurs=[network] if network else None,
            score_qualite=(number * 37 % 90 + 10) / 100 if has_services else 0.0,
        )
        yield Record(place, structure, (theme,) if has_services else ())
