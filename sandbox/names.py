"""Comparing names as they come: accents, case and spacing aside."""

import unicodedata


def plain(name: str) -> str:
    """Capitals without accents; two spellings of one name give one value."""
    decomposed = unicodedata.normalize("NFKD", name.strip())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).upper()
