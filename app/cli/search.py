"""Commands on the search index."""

from typing import Annotated

import typer

from app.cli.console import progress
from app.cli.help import examples
from app.cli.stores import open_stores

commands = typer.Typer()


@commands.command(
    epilog=examples('omniracle search "how are requests distributed"', "omniracle search 任务分配 --lang zh --json"),
)
def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for, as in the site's search box.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    lang: Annotated[str | None, typer.Option(metavar="LANG", help="Only answers in this language.")] = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Only answers with this tag.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many results.")] = 10,
) -> None:
    """Search the library."""
    from app.content.document import normalised_tag
    from app.services.searching import search as run
    from app.web.routes.api import search_results

    with open_stores() as (settings, database, index):
        wanted = normalised_tag(tag) if tag else None
        found = run(database, index, query, size=limit, offset=0, tag=wanted, lang=lang)
    site = settings.base_url or f"http://{settings.host}:{settings.port}"
    if as_json:
        typer.echo(search_results(found, site).model_dump_json(indent=2))
        return
    for number, hit in enumerate(found.page.items, start=1):
        typer.echo(
            f"{number}. {typer.style(hit.title, bold=True)}  [{hit.lang}]\n   {site}{hit.url}\n   {hit.excerpt}\n"
        )
    typer.echo(f"{found.page.total} found in {found.took_ms:.0f} ms.")


@commands.command(epilog=examples("omniracle reindex"))
def reindex() -> None:
    """Rebuild the search index, then swap.

    The site goes on answering from the old one meanwhile, and what is saved during that time is found at once.
    """
    from app.services import indexing

    with open_stores() as (_settings, database, index), progress() as update:
        number = indexing.rebuild(database, index, update)
    typer.echo(f"Indexed {number} articles.")
