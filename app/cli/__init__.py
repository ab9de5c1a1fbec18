"""The `omniracle` command; one module per group of commands."""

import errno
import logging
import sys

import typer

from app import __version__, logs
from app.cli import accounts, backups, content, links, search, server, settings, workers
from app.cli.help import EXIT_STATUS, Headings
from app.errors import OmniracleError

app = typer.Typer(
    name="omniracle",
    cls=Headings,
    epilog=EXIT_STATUS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  Typer's signature
    if wanted:
        typer.echo(f"omniracle {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Omniracle: a self-hosted, bilingual Q&A knowledge site.

    `omniracle serve` starts it. `omniracle COMMAND --help` explains a command and gives examples.
    """


for part in (
    server.commands, workers.commands, settings.commands, backups.commands, content.commands, links.links,
    search.commands, accounts.user, accounts.token,
):  # fmt: skip
    app.add_typer(part)


def main() -> None:
    """Run the command line; an error that we raise on purpose is one line on stderr and exit status 1."""
    logs.configure(logging.WARNING)
    try:
        app()
    except OmniracleError as error:
        sys.exit(f"omniracle: {error}")
    except OSError as error:
        named = f" {error.filename}" if error.filename else ""
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "make space on its disk" if is_full else "check its owner and its rights"
        sys.exit(f"omniracle: {error.strerror or error}{named}: {advice}.")
    except Exception as error:
        from sqlalchemy.exc import DBAPIError

        from app.storage.failures import advice_on

        if not isinstance(error, DBAPIError):
            raise
        sys.exit(f"omniracle: {advice_on(error)}")
