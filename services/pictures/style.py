"""Colours and type, the same on every picture."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from matplotlib.typing import RcKeyType

PAPER = "#ffffff"
INK = "#161616"
MUTED = "#666666"
FRAME = "#dddddd"
STRIPE = "#f6f6f6"
HEAD = "#e3e3fd"
# Told apart by people who see colours differently as well; the first is the blue of the State's own pages.
SERIES = ("#000091", "#e1793b", "#009081", "#a558a0", "#c8aa39", "#ce614a", "#417dc4", "#68a532")
REST = "#929292"

STYLE: Mapping[RcKeyType, Any] = MappingProxyType(
    {
        "font.family": "DejaVu Sans",
        "font.size": 11,
        "text.color": INK,
        "axes.edgecolor": FRAME,
        "axes.labelcolor": MUTED,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.axisbelow": True,
        "axes.grid": False,
        "grid.color": "#eeeeee",
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.bottom": False,
        "ytick.left": False,
        # Texts are data: a dollar sign in them begins no formula.
        "text.parse_math": False,
    }
)


def fitted(text: str, characters: int) -> str:
    """Return the text, its end replaced by an ellipsis where it is too long."""
    text = " ".join(text.split())
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"
