"""From a view to HTML, by Jinja: everything is escaped, and a name that is not there is an error.

A template marks what may change while somebody looks with `{% call live("name") %}…{% endcall %}`: the pieces come out
beside the page, so that a live page sends those alone that changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from ops.dashboard import charts, formatting

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A whole page, and its live pieces by name."""

    html: str
    pieces: Mapping[str, str]


def render(template: str, values: Mapping[str, object]) -> Rendered:
    """Render a page. `values` must hold `now`: ages are counted from there."""
    pieces: dict[str, str] = {}
    html = _environment().get_template(template).render({**values, "live_pieces": pieces})
    return Rendered(html, pieces)


@pass_context
def _live(context: Context, name: str, caller: Callable[[], str]) -> Markup:
    html = str(caller()).strip()
    context["live_pieces"][name] = html
    return Markup('<div id="live-{}" class="live">{}</div>').format(name, Markup(html))  # noqa: S704 - rendered here


@pass_context
def _age(context: Context, value: Any) -> str | Markup:
    return formatting.age(value, context["now"])


@pass_context
def _since(context: Context, value: Any) -> str | Markup:
    return formatting.since(value, context["now"])


@cache
def _static_path(name: str) -> str:
    """Return the address of a file of ours; it changes with the file, which browsers may therefore keep."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/ops/static/{name}?v={digest}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: dict[str, Any] = {
        "age": _age,
        "since": _since,
        "number": formatting.number,
        "share": formatting.share,
        "milliseconds": formatting.milliseconds,
        "duration": formatting.duration,
        "instant": formatting.instant,
        "day": formatting.day,
    }
    functions: dict[str, Any] = {"live": _live, "static": _static_path, "chart": charts.chart}
    environment.filters.update(filters)
    environment.globals.update(functions)
    return environment
