"""What the demo shows in the terminal. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from clients.france_travail import exit_label
from models.enums import NotificationStatus, PreliminaryCheck

_COLOURS = {
    NotificationStatus.PENDING: "cyan",
    NotificationStatus.READY: "blue",
    NotificationStatus.SHOULD_RETRY: "yellow",
    NotificationStatus.ERROR: "red",
    NotificationStatus.SUCCESS: "green",
}
_CHECKS = {check.value: check.label for check in PreliminaryCheck}


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many approvals and cancellations stand in one status."""

    status: NotificationStatus
    approvals: int
    cancellations: int


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How often the played approvals ended with a code. `endpoint` None: no call was made, or none failed."""

    status: NotificationStatus
    endpoint: str | None
    code: str | None
    count: int


@dataclass(frozen=True, slots=True)
class SampleApproval:
    number: str
    start_at: str
    company: str
    status: NotificationStatus
    code: str | None


@dataclass(frozen=True, slots=True)
class ShownAttempt:
    at: str
    number: str
    outcome: NotificationStatus
    endpoint: str | None
    http_status: int | None
    code: str | None
    duration_ms: int


def label_of(endpoint: str | None, code: str | None) -> str:
    """Return the French label of a code of France Travail or of a preliminary check; the code itself if it has none."""
    if code is None:
        return ""
    return (exit_label(endpoint, code) if endpoint else None) or _CHECKS.get(code) or code


def statuses_table(title: str, before: Sequence[StatusCount], after: Sequence[StatusCount] | None = None) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("Status")
    for name in ("Approvals", "Cancellations") if after is None else ("Before", "After", "Change"):
        table.add_column(name, justify="right")
    then = {count.status: count for count in before}
    for status in NotificationStatus:
        first = then.get(status, StatusCount(status, 0, 0))
        if after is None:
            table.add_row(_named(status), f"{first.approvals:,}", f"{first.cancellations:,}")
            continue
        second = next((count for count in after if count.status is status), StatusCount(status, 0, 0))
        total_before = first.approvals + first.cancellations
        total_after = second.approvals + second.cancellations
        change = total_after - total_before
        table.add_row(_named(status), f"{total_before:,}", f"{total_after:,}", f"{change:+,}" if change else "")
    return table


def samples_table(samples: Sequence[SampleApproval]) -> Table:
    table = Table(title="Some of the approvals to announce", title_justify="left")
    for name in ("Number", "Starts", "Company", "Status", "Last reason"):
        table.add_column(name)
    for sample in samples:
        table.add_row(
            sample.number, sample.start_at, sample.company, _named(sample.status), label_of(None, sample.code)
        )
    return table


def codes_table(codes: Sequence[CodeCount]) -> Table:
    table = Table(title="How the announced approvals ended", title_justify="left")
    table.add_column("Status")
    table.add_column("Call")
    table.add_column("Code")
    table.add_column("Label")
    table.add_column("Approvals", justify="right")
    for code in codes:
        table.add_row(
            _named(code.status),
            code.endpoint or "",
            code.code or "",
            label_of(code.endpoint, code.code),
            f"{code.count}",
        )
    return table


def progress_view(
    *, settled: int, expected: int, statuses: Sequence[StatusCount], attempts: Sequence[ShownAttempt], partner: str
) -> Group:
    """Return the live view: a bar, the statuses of what is played, the last attempts, what the sandbox counted."""
    counts = Text("   ").join(
        Text(f"{count.status.label} {count.approvals + count.cancellations}", style=_COLOURS[count.status])
        for count in statuses
    )
    feed = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("at", "approval", "outcome", "call", "HTTP", "code", ""):
        feed.add_column(name, style="dim" if name == "at" else "")
    for attempt in attempts:
        feed.add_row(
            attempt.at,
            attempt.number,
            _named(attempt.outcome),
            attempt.endpoint or "",
            "" if attempt.http_status is None else f"{attempt.http_status}",
            label_of(attempt.endpoint, attempt.code),
            f"{attempt.duration_ms} ms",
        )
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=expected, completed=settled, width=40), f"{settled} of {expected} announced", counts)
    return Group(bar, Text(partner, style="dim"), feed)


def say(console: Console, text: str) -> None:
    """Print a line as it is: what looks like markup or a number is not touched."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def heading(console: Console, text: str) -> None:
    console.print()
    console.print(Panel(Text(text, style="bold"), expand=False))


def _named(status: NotificationStatus) -> Text:
    return Text(f"{status.name} ({status.label})", style=_COLOURS[status])
