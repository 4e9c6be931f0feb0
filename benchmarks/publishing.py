"""Writing a report where readers find it: figures, picture, page."""

from __future__ import annotations

from pathlib import Path

from benchmarks.page import performance_page
from benchmarks.picture import draw
from benchmarks.results import Report, read_report

PAGES_FOLDER = Path(__file__).parent.parent / "docs" / "reference"


def publish(report: Report, folder: Path) -> list[Path]:
    """Write the three files and return their paths. Stages that this run left out keep their earlier sections."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, picture, page = (folder / f"performance.{suffix}" for suffix in ("json", "svg", "md"))
    earlier = read_report(figures)
    if earlier is not None:
        report = earlier.with_later(report)
    figures.write_bytes(report.to_json())
    picture.write_bytes(draw(report))
    page.write_text(performance_page(report), encoding="utf-8")
    return [figures, picture, page]
