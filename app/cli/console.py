"""Output of long work: a progress bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.services.progress import Progress

if TYPE_CHECKING:
    from app.services.exchange import Report

LINE_EVERY_S = 5.0


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield a progress function that writes to stderr."""
    if sys.stderr.isatty():
        with _bar() as update:
            yield update
    else:
        yield _lines()


def print_report(report: "Report", verb: str) -> None:
    """Write every problem to stderr, then the summary to stdout."""
    for problem in report.problems:
        print(f"{'LOST' if problem.lost else 'note'}  {problem.path}: {problem.reason}", file=sys.stderr)
    done = report.created + report.updated + report.unchanged
    notes = len(report.problems) - report.lost
    print(
        f"{verb} {done} files: {report.created} new, {report.updated} changed, {report.unchanged} unchanged; "
        f"{notes} notes, {report.lost} lost."
    )


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        tasks = {}

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield update


def _lines() -> Progress:
    last: dict[str, float] = {}

    def update(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - last.setdefault(stage, now) >= LINE_EVERY_S:
            last[stage] = now
            print(f"{stage}: {done} of {total}", file=sys.stderr, flush=True)

    return update
