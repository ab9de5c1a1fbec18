"""Commands that keep the whole site in one file and bring it back, or take it to another database."""

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from app.cli.help import examples
from app.cli.stores import nobody_else_on, refuse_workers
from app.environment import given_settings, load_settings
from app.errors import OperatorError

commands = typer.Typer()


@commands.command(
    epilog=examples(
        "omniracle backup /mnt/backups/site.tar.gz", "omniracle backup --force --with-secrets latest.tar.gz"
    )
)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, for example site.tar.gz.")],
    *,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Put the site's secret and the secret settings in too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
) -> None:
    """Write the whole site into one file.

    The database, the images and the settings go in; the site may be used meanwhile. The backup is read back before it
    gets its name. Keep it as safe as the site: it holds addresses and unpublished texts. The exit status is 1 if
    images were missing or damaged, too.
    """
    from app.services.backup import back_up

    settings = load_settings()
    given = {name: each.value for name, each in given_settings().items()}
    made = back_up(settings, file, given, with_secrets=with_secrets, force=force)
    for name in made.missing:
        typer.echo(f"{name}: the image is missing on this site, and so in the backup", err=True)
    for name in made.damaged:
        typer.echo(f"{name}: the image is damaged on this site, and left out of the backup", err=True)
    typer.echo(f"Backed up to {file}: {made.receipt.bytes / 1e6:.1f} MB with {made.images} images, checked.")
    raise typer.Exit(1 if made.missing or made.damaged else 0)


@commands.command(epilog=examples("omniracle restore site.tar.gz", "omniracle restore --force site.tar.gz"))
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `omniracle backup` has written.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the database that is there; it is kept beside.")
    ] = False,
) -> None:
    """Bring a backup back.

    The server has to be stopped. A file that is damaged, or of a newer program, is refused before anything is touched.
    An older one is migrated by the next `omniracle serve`, which also builds the search index anew.
    """
    from app.services.restoring import restore as bring_back

    settings = load_settings()
    settings.prepare_data_dir()
    with nobody_else_on(settings):
        done = bring_back(settings, file, force=force)
    made = done.manifest
    typer.echo(f"Restored the backup of {made.made_at:%Y-%m-%d %H:%M} UTC, with {made.images} images.")
    if done.kept:
        typer.echo(f"The database that was there is {done.kept} now.")
    typer.echo(f"The settings of that site are in {done.settings}: compare them with `omniracle settings`.")
    typer.echo("`omniracle serve` brings the schema up to date and builds the search index.")


@commands.command(epilog=examples("omniracle move --to postgresql+psycopg://me:secret@db.example.org/answers"))
def move(
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="URL", help="An empty database: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
        ),
    ],
) -> None:
    """Copy the site into another database.

    It may be of another kind. The servers of all hosts, and other commands, have to be stopped. Every row is copied and
    compared; the database that is there stays as it is. The images and the search index stay in the data folder and fit
    both. Then set DATABASE_URL and start the server.
    """
    from app.cli.console import progress
    from app.services.hosts import Hosts
    from app.services.moving import move as copy
    from app.storage import schema
    from app.storage.database import Database

    settings = load_settings()
    url = load_settings(os.environ | {"DATABASE_URL": to}).resolved_database_url
    settings.prepare_data_dir()
    with (
        nobody_else_on(settings),
        closing(Database.of(settings)) as source,
        closing(Database(url)) as target,
        progress() as update,
    ):
        schema.check(source)
        hosts, began = Hosts(settings, source), time.monotonic()
        hosts.refuse_others()
        numbers = copy(source, target, update)
        try:
            hosts.refuse_others(time.monotonic() - began)
            refuse_workers(settings)
        except OperatorError as error:
            raise OperatorError(f"The copy is not to be trusted, drop it. {error}") from error
    typer.echo(f"Copied and compared {sum(numbers.values())} rows: {numbers['article']} articles, "
               f"{numbers['revision']} revisions, {numbers['account']} accounts.")  # fmt: skip
    typer.echo("Set DATABASE_URL to that address, then `omniracle serve`.")
