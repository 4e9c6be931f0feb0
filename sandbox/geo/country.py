"""A country of the size of France: the communes of the gazetteer, and invented ones around them.

Names, post codes, places and mergers of the invented ones are made up by their number, always the same. They look like
names of communes (accents, hyphens, apostrophes, homonyms), and begin as no French one does.
"""

from collections.abc import Iterator

from sandbox.gazetteer import COMMUNES, COMMUNES_BY_CODE, DEPARTMENTS, Commune, Department

_STEMS = (
    *("Zor", "Quib", "Vrax", "Xant", "Griz", "Fluv", "Kerz", "Bréz", "Œuz", "Haÿz", "Mirz", "Throl"),
    *("Plouz", "Scêx", "Wazm", "Jorv", "Nizl", "Drax", "Ilz", "Ouzk"),
)
_ENDINGS = ("ville", "court", "mont", "ac", "igny", "ières", "heim", "bourg", "euil", "an", "èche", "vaux", "ols")
_ARTICLES = ("", "", "", "", "Saint-", "Sainte-", "La ", "Le ", "Les ", "L'", "Saint-", "")
_VOWELS = ("I", "O", "Œ", "H")
_RIVERS = ("", "", "-sur-Vrize", "-en-Zorvan", "-lès-Quibert", "", "-la-Grise-Tour", "-sous-Fluve", "")
_SHARE_A_POST_CODE = 12
_TWO_POST_CODES_EVERY = 40
_MERGED_EVERY = 60
_LAST_NUMBER = 399
# Above the numbers that are given: a former code is nobody's code today.
_FIRST_FORMER = 400
# As their departments were one before 1976: see `_CORSICA` in models/departments.py for what the digits tell.
_POST_CODE_STEMS = {"2A": "201", "2B": "202"}


def whole_country(size: int) -> Iterator[Commune]:
    """The communes that are known here, then invented ones, up to the size of a country; no arrondissements."""
    known = [commune for commune in COMMUNES if not commune.is_arrondissement]
    yield from known[:size]
    left = size - len(known)
    departments = [department for department in DEPARTMENTS.values() if department.zone == "metro"]
    taken = {*COMMUNES_BY_CODE, *(code for commune in COMMUNES for code in commune.former_codes)}
    for number in range(1, _LAST_NUMBER + 1):
        for order, department in enumerate(departments):
            if f"{department.code}{number:03d}" in taken:
                continue
            if left <= 0:
                return
            left -= 1
            yield _invented(department, order, number, taken)


def _invented(department: Department, order: int, number: int, taken: set[str]) -> Commune:
    former = f"{department.code}{number + _FIRST_FORMER:03d}"
    is_merged = number % _MERGED_EVERY == 0 and former not in taken
    codes = (_post_code(department.code, number // _SHARE_A_POST_CODE),)
    if number % _TWO_POST_CODES_EVERY == 0:
        codes = (*codes, _post_code(department.code, number // _SHARE_A_POST_CODE + 1))
    return Commune(
        code=f"{department.code}{number:03d}",
        name=_name(order * 31 + number * 17),
        post_codes=codes,
        latitude=round(43.5 + number % 70 / 10, 4),
        longitude=round(-1.0 + number % 61 / 10, 4),
        population=50 + (number * 7_919 + order * 104_729) % 2_500,
        former_codes=(former,) if is_merged else (),
    )


def _name(number: int) -> str:
    stem = _STEMS[number % len(_STEMS)]
    ending = _ENDINGS[number // 3 % len(_ENDINGS)]
    article = _ARTICLES[number // 7 % len(_ARTICLES)]
    if article == "L'" and not stem.startswith(_VOWELS):
        article = "Le "
    return f"{article}{stem}{ending}{_RIVERS[number // 11 % len(_RIVERS)]}"


def _post_code(department: str, district: int) -> str:
    """Ends with a 5, as no real one of a small commune does; above those of the arrondissements."""
    stem = _POST_CODE_STEMS.get(department)
    return f"{stem}{district:02d}" if stem else f"{department}{district + 30:02d}5"
