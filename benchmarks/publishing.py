"""Writing a report where readers find it: figures, picture, page."""

from __future__ import annotations

from pathlib import Path

from benchmarks.page import performance_page
from benchmarks.picture import draw
from benchmarks.results import Report, report_from_json

PAGES_FOLDER = Path(__file__).parent.parent / "docs" / "reference"
_NAME = "performance"


def publish(report: Report, folder: Path) -> list[Path]:
    """Write the three files and return their paths. Stages that this run left out keep their earlier sections."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, picture, page = (folder / f"{_NAME}.{suffix}" for suffix in ("json", "svg", "md"))
    earlier = read_report(folder)
    if earlier is not None:
        report = earlier.with_later(report)
    figures.write_bytes(report.to_json())
    picture.write_bytes(draw(report))
    page.write_text(performance_page(report), encoding="utf-8")
    return [figures, picture, page]


def read_report(folder: Path) -> Report | None:
    """The report that lies there. Raises ValueError for one of another format."""
    path = folder / f"{_NAME}.json"
    return report_from_json(path.read_bytes()) if path.exists() else None
