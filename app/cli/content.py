"""Commands that exchange articles with files."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import print_report, progress
from app.cli.help import examples
from app.cli.stores import open_stores

FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="DIR", help="A folder; by default OMNIRACLE_CONTENT_DIR.", show_default=False)
]

commands = typer.Typer()


@commands.command(epilog=examples("omniracle sync", "omniracle sync content --git"))
def sync(
    folder: FolderArgument = None,
    *,
    git: Annotated[bool, typer.Option("--git", help="Also take what the folder's git upstream has changed.")] = False,
) -> None:
    """Take changed files into the database.

    A file that was changed here and on the site is merged. Each file that could not be taken is listed; the exit status
    is 1 if one was lost.
    """
    from app.services.git_exchange import pull
    from app.services.own_files import OwnFiles
    from app.services.syncing import sync as take

    with open_stores() as (settings, database, index), progress() as update:
        own = OwnFiles.of(settings, database)
        report = (pull if git else take)(database, index, folder or settings.content_dir, update, own=own)
    print_report(report, "Synced")
    raise typer.Exit(1 if report.lost else 0)


@commands.command(
    "import",
    epilog=examples("omniracle import ../wiki", "omniracle import ../docs --lang zh"),
)
def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of Markdown files.")],
    lang: Annotated[
        str | None, typer.Option(metavar="LANG", help="Language of all files; detected when not given.")
    ] = None,
) -> None:
    """Import any folder of Markdown files.

    What was imported before is updated. Each file that could not be taken is listed; the exit status is 1 if one was
    lost.
    """
    from app.services.importing import import_tree

    with open_stores() as (_settings, database, index), progress() as update:
        report = import_tree(database, index, folder, lang, update)
    print_report(report, "Imported")
    raise typer.Exit(1 if report.lost else 0)


@commands.command(epilog=examples("omniracle export copy", "omniracle export --git"))
def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to write; only --git has a default.", show_default=False)
    ] = None,
    *,
    git: Annotated[bool, typer.Option("--git", help="Commit each new revision with its author, and push.")] = False,
) -> None:
    """Write every article as a Markdown file.

    Files that are equal already, and other files, stay untouched. So does a file with a text that the site has never
    seen: then the exit status is 1. With --git, DIR is the content folder when absent.
    """
    from app.services.exporting import export as write
    from app.services.git_exchange import push
    from app.services.own_files import OwnFiles

    with open_stores() as (settings, database, index), progress() as update:
        own = OwnFiles.of(settings, database)
        if git:
            done = push(database, index, folder or settings.content_dir, update, own=own)
            for problem in done.problems:
                typer.echo(f"{problem.path}: {problem.reason}", err=True)
            made = f"{done.commits} commit{'' if done.commits == 1 else 's'}"
            typer.echo(f"Made {made}{' and pushed' if done.was_pushed else ''}.")
            return
        if folder is None:
            raise typer.BadParameter("name the folder to write to")
        report = write(database, folder, update, own=own)
    for path in report.kept:
        typer.echo(f"{path}: was changed and never synced, and stays: run `omniracle sync` first", err=True)
    number = report.written + report.unchanged
    typer.echo(f"Exported {number} files: {report.written} written, {report.unchanged} unchanged.")
    raise typer.Exit(1 if report.kept else 0)


@commands.command(epilog=examples("omniracle lint", "omniracle lint content/python"))
def lint(folder: FolderArgument = None) -> None:
    """Check files as a careful reviewer would.

    The exit status is 1 if a file cannot be used at all.
    """
    from app.content.linting import findings
    from app.environment import load_settings
    from app.errors import InvalidInput
    from app.services.finding import find_files
    from app.services.syncing import prepare

    files, problems = find_files(folder or load_settings().content_dir, "name another folder")
    unusable = [f"{problem.path}: {problem.reason}" for problem in problems if problem.lost]
    remarks = []
    for found in files:
        try:
            document = prepare(found).document
        except (InvalidInput, OSError) as error:
            unusable.append(f"{found.path}: {error}")
            continue
        remarks += [f"{found.path}: {remark.message % remark.params}" for remark in findings(document)]
    for line in (*unusable, *remarks):
        typer.echo(line)
    typer.echo(f"Checked {len(files)} files: {len(remarks)} remarks, {len(unusable)} unusable.")
    raise typer.Exit(1 if unusable else 0)
