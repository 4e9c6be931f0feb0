"""Departments and regions: the offline table that is the truth about them. Source: INSEE, code officiel géographique."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegionRecord:
    code: str
    name: str
    department_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DepartmentRecord:
    code: str
    name: str
    region_code: str


_TABLE = (
    ("84", "Auvergne-Rhône-Alpes", "01 Ain|03 Allier|07 Ardèche|15 Cantal|26 Drôme|38 Isère|42 Loire|43 Haute-Loire|63 Puy-de-Dôme|69 Rhône|73 Savoie|74 Haute-Savoie"),
    ("27", "Bourgogne-Franche-Comté", "21 Côte-d'Or|25 Doubs|39 Jura|58 Nièvre|70 Haute-Saône|71 Saône-et-Loire|89 Yonne|90 Territoire de Belfort"),
    ("53", "Bretagne", "22 Côtes-d'Armor|29 Finistère|35 Ille-et-Vilaine|56 Morbihan"),
    ("24", "Centre-Val de Loire", "18 Cher|28 Eure-et-Loir|36 Indre|37 Indre-et-Loire|41 Loir-et-Cher|45 Loiret"),
    ("94", "Corse", "2A Corse-du-Sud|2B Haute-Corse"),
    ("44", "Grand Est", "08 Ardennes|10 Aube|51 Marne|52 Haute-Marne|54 Meurthe-et-Moselle|55 Meuse|57 Moselle|67 Bas-Rhin|68 Haut-Rhin|88 Vosges"),
    ("32", "Hauts-de-France", "02 Aisne|59 Nord|60 Oise|62 Pas-de-Calais|80 Somme"),
    ("11", "Île-de-France", "75 Paris|77 Seine-et-Marne|78 Yvelines|91 Essonne|92 Hauts-de-Seine|93 Seine-Saint-Denis|94 Val-de-Marne|95 Val-d'Oise"),
    ("28", "Normandie", "14 Calvados|27 Eure|50 Manche|61 Orne|76 Seine-Maritime"),
    ("75", "Nouvelle-Aquitaine", "16 Charente|17 Charente-Maritime|19 Corrèze|23 Creuse|24 Dordogne|33 Gironde|40 Landes|47 Lot-et-Garonne|64 Pyrénées-Atlantiques|79 Deux-Sèvres|86 Vienne|87 Haute-Vienne"),
    ("76", "Occitanie", "09 Ariège|11 Aude|12 Aveyron|30 Gard|31 Haute-Garonne|32 Gers|34 Hérault|46 Lot|48 Lozère|65 Hautes-Pyrénées|66 Pyrénées-Orientales|81 Tarn|82 Tarn-et-Garonne"),
    ("52", "Pays de la Loire", "44 Loire-Atlantique|49 Maine-et-Loire|53 Mayenne|72 Sarthe|85 Vendée"),
    ("93", "Provence-Alpes-Côte d'Azur", "04 Alpes-de-Haute-Provence|05 Hautes-Alpes|06 Alpes-Maritimes|13 Bouches-du-Rhône|83 Var|84 Vaucluse"),
    ("01", "Guadeloupe", "971 Guadeloupe"),
    ("02", "Martinique", "972 Martinique"),
    ("03", "Guyane", "973 Guyane"),
    ("04", "La Réunion", "974 La Réunion"),
    ("06", "Mayotte", "976 Mayotte"),
    ("975", "Saint-Pierre-et-Miquelon", "975 Saint-Pierre-et-Miquelon"),
    ("977", "Saint-Barthélemy", "977 Saint-Barthélemy"),
    ("978", "Saint-Martin", "978 Saint-Martin"),
    ("984", "Terres australes et antarctiques françaises", "984 Terres australes et antarctiques françaises"),
    ("986", "Wallis-et-Futuna", "986 Wallis-et-Futuna"),
    ("987", "Polynésie française", "987 Polynésie française"),
    ("988", "Nouvelle-Calédonie", "988 Nouvelle-Calédonie"),
    ("989", "Île de Clipperton", "989 Île de Clipperton"),
)  # fmt: skip


def _build() -> tuple[dict[str, RegionRecord], dict[str, DepartmentRecord]]:
    regions: dict[str, RegionRecord] = {}
    departments: dict[str, DepartmentRecord] = {}
    for region_code, region_name, listed in _TABLE:
        codes: list[str] = []
        for entry in listed.split("|"):
            code, _, name = entry.partition(" ")
            departments[code] = DepartmentRecord(code, name, region_code)
            codes.append(code)
        regions[region_code] = RegionRecord(region_code, region_name, tuple(codes))
    return regions, dict(sorted(departments.items()))


REGIONS, DEPARTMENTS = _build()

# Both departments kept the post codes of the one before 1976; other beginnings tell neither.
_CORSICA = {"200": "2A", "201": "2A", "207": "2A", "202": "2B", "204": "2B", "206": "2B"}


def department_code_of(*, insee_code: str | None = None, post_code: str | None = None) -> str | None:
    """Return the department's code, or None. The INSEE code wins: some post codes cross a department's border."""
    if insee_code:
        return _known(insee_code[:3] if insee_code.startswith(("97", "98")) else insee_code[:2].upper())
    if post_code:
        if post_code.startswith(("97", "98")):
            return _known(_saint(post_code) or post_code[:3])
        if post_code.startswith("20"):
            return _CORSICA.get(post_code[:3])
        return _known(post_code[:2])
    return None


def _saint(post_code: str) -> str | None:
    """Saint-Barthélemy and Saint-Martin kept post codes of Guadeloupe."""
    return {"97133": "977", "97150": "978"}.get(post_code)


def _known(code: str) -> str | None:
    return code if code in DEPARTMENTS else None
