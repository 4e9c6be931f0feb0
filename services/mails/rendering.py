"""From a template and its parameters to what people read: the same words as plain text and as HTML.

A template is two files of `templates/`, `.txt` and `.html`, with `$name` where a parameter goes. The first line of the
text is the subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from models.enums import MailTemplate

_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def render(template: MailTemplate, parameters: Mapping[str, str]) -> Rendered:
    """Return the mail. Raises KeyError for a parameter that the template names and is not given.

    A line break in a value would let it begin a paragraph of its own: it becomes a space.
    """
    values = {name: " ".join(value.split()) for name, value in parameters.items()}
    subject, _, text = _template(f"{template.value}.txt").substitute(values).partition("\n")
    body = _template(f"{template.value}.html").substitute({name: escape(value) for name, value in values.items()})
    page = _template("layout.html").substitute({"subject": escape(subject), "body": body})
    return Rendered(subject, text.lstrip("\n"), page)


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / name).read_text(encoding="utf-8"))
