"""Values as French readers expect them: days and hours of Paris, ages, numbers, durations, shares."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from markupsafe import Markup

from services.clock import PARIS

NOTHING = "–"
_NARROW_SPACE = "\u202f"
_SPACE = "\u00a0"


def number(value: float) -> str:
    """1 234 567, with the narrow space that does not break."""
    return f"{value:,.0f}".replace(",", _NARROW_SPACE)


def share(value: float | None) -> str:
    """A share from 0 to 1 as a percentage; small ones keep a decimal, so that they are not taken for none."""
    if value is None:
        return NOTHING
    percentage = value * 100
    text = f"{percentage:.1f}" if 0 < percentage < 10 else f"{percentage:.0f}"
    return f"{text.replace('.', ',')}{_SPACE}%"


def milliseconds(value: float | None) -> str:
    if value is None:
        return NOTHING
    if value < 1_000:
        return f"{value:.0f}{_SPACE}ms"
    return f"{value / 1_000:.1f}{_SPACE}s".replace(".", ",")


def duration(value: timedelta) -> str:
    """The two largest units: 2 h 05, 3 j 4 h, 45 s."""
    seconds = max(0, int(value.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if minutes == 0:
        return f"{seconds}{_SPACE}s"
    if hours == 0:
        return f"{minutes}{_SPACE}min"
    if days == 0:
        return f"{hours}{_SPACE}h{_SPACE}{minutes % 60:02}"
    if days < 10 and hours % 24:
        return f"{days}{_SPACE}j{_SPACE}{hours % 24}{_SPACE}h"
    return f"{days}{_SPACE}j"


def instant(value: datetime) -> str:
    """18/02/2026 à 10:30:05, in Paris."""
    return value.astimezone(PARIS).strftime("%d/%m/%Y à %H:%M:%S")


def clock(value: datetime) -> str:
    return value.astimezone(PARIS).strftime("%H:%M")


def day_and_clock(value: datetime) -> str:
    """18/02 10:30, in Paris."""
    return value.astimezone(PARIS).strftime(f"%d/%m{_SPACE}%H:%M")


def short_day(value: datetime) -> str:
    """18/02, in Paris."""
    return value.astimezone(PARIS).strftime("%d/%m")


def day(value: date) -> str:
    return value.strftime("%d/%m/%Y")


def age(value: datetime | None, now: datetime) -> str | Markup:
    """How long ago, or in how long; the exact instant is in the title."""
    if value is None:
        return NOTHING
    elapsed = now - value
    if elapsed >= timedelta(0):
        text = "à l’instant" if elapsed < timedelta(seconds=5) else f"il y a {duration(elapsed)}"
    else:
        text = f"dans {duration(-elapsed)}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(timespec="seconds"), instant(value), text
    )


def since(value: datetime | None, now: datetime) -> str | Markup:
    """The same, as a bare duration: what has lasted since then."""
    if value is None:
        return NOTHING
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(timespec="seconds"), f"depuis le {instant(value)}", duration(now - value)
    )
