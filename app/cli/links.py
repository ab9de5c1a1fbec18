"""Commands on the pages that answers refer to."""

from typing import Annotated

import typer

from app.cli.console import progress
from app.cli.help import examples
from app.cli.stores import open_stores

links = typer.Typer(name="links", no_args_is_help=True)


@links.callback()
def _group() -> None:
    """Check the pages that answers refer to."""


@links.command("check", epilog=examples("omniracle links check", "omniracle links check --all"))
def check(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Check all of them, not only those that are due.")] = False,
) -> None:
    """Check whether linked pages are still there.

    Pages that have moved and pages that are gone are listed; the site marks those that are gone.
    """
    from app.services.fetcher import Fetcher
    from app.services.link_checking import check as run

    with open_stores() as (_settings, database, _index), progress() as update:
        report = run(database, Fetcher(), everything=everything, progress=update)
    for old, new in report.moved:
        typer.echo(f"moved  {old} -> {new}")
    for url in report.gone:
        typer.echo(f"gone   {url}")
    counts = ", ".join(f"{number} {state}" for state, number in sorted(report.counts.items()))
    typer.echo(f"Checked {report.counts.total()}: {counts or 'nothing is due'}.")
