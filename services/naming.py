"""How people are named in what we write to somebody: greeted, in full, or masked for who need not know."""

from __future__ import annotations

from models import User


def full_name(person: User) -> str:
    return f"{person.last_name.upper()} {person.first_name}"


def greeting(person: User) -> str:
    """`Madame FICTIVE`; the full name where no title is known."""
    return f"{person.title.label} {person.last_name.upper()}" if person.title else full_name(person)


def mask(name: str) -> str:
    """`FICTIVE Zélie` becomes `F… Z…`."""
    return " ".join(f"{word[0]}…" for word in name.split())
