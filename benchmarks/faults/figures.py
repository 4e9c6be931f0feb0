"""What a fault cost: the figures that are recorded, and the table that they come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_COLUMNS = ("fault", "tries", "lost", "doubled", "leaked", "longest recovery", "besides")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one fault.

    `lost`: acknowledged and without effect, or asked and never answered as promised. `doubled`: with effect twice.
    `leaked`: answers and logs that tell of people or of our insides. `recovery_seconds`: from the fault, or its end
    where it lasts, until the last of what it touched was as it should be. `besides`: what else was seen, in words.
    """

    fault: str
    tries: int
    lost: int
    doubled: int
    leaked: int
    recovery_seconds: float
    besides: str = ""

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.leaked)

    def line(self) -> str:
        """One line for whoever watches."""
        return (
            f"{self.fault}: {self.tries} tries, lost {self.lost}, doubled {self.doubled}, leaked {self.leaked},"
            f" recovered within {self.recovery_seconds:.1f} s" + (f"; {self.besides}" if self.besides else "")
        )

    def _cells(self) -> Sequence[str]:
        return (
            self.fault,
            f"{self.tries:,}",
            *(f"{number:,}" for number in (self.lost, self.doubled, self.leaked)),
            f"{self.recovery_seconds:.1f} s",
            self.besides,
        )

    @classmethod
    def table(cls, rows: Iterable[Figures]) -> str:
        """Markdown, as release notes hold it."""
        head = [f"| {' | '.join(_COLUMNS)} |", f"| --- |{' ---: |' * 5} --- |"]
        return "\n".join([*head, *(f"| {' | '.join(row._cells())} |" for row in rows)])
