"""The command that shows the settings."""

from pathlib import Path

import typer

from app.cli.help import examples
from app.config import SECRETS, Group, Settings
from app.environment import ENV_FILE, Given, given_settings, load_settings

commands = typer.Typer()


@commands.command(epilog=examples("omniracle settings", "omniracle settings | grep -v default"))
def settings() -> None:
    """Show all settings and where each comes from.

    They come from the environment, else from the file .env in this folder, else they are the default. Secrets stay
    hidden. What each one means: docs/configuration.md.
    """
    chosen, given = load_settings(), given_settings()
    for group in Group.__subclasses__():
        typer.echo((group.__doc__ or "").rstrip("."))
        for field, info in group.model_fields.items():
            name = info.alias or field
            source = given[name].source if name in given else "default"
            value = _hidden(given[name]) if name in SECRETS and name in given else _shown(chosen, field)
            typer.echo(f"  {name:<28}  {source:<11}  {value}")
    file = ENV_FILE.absolute()
    typer.echo(f"{file} was read." if file.is_file() else f"There is no {file}.")


def _hidden(given: Given) -> str:
    return f"(hidden, in {given.file})" if given.file else "(hidden)"


def _shown(chosen: Settings, field: str) -> str:
    value = chosen.resolved_database_url if field == "database_url" else getattr(chosen, field)
    if value is None:
        return "(not set)"
    return str(value.absolute() if isinstance(value, Path) else value)
