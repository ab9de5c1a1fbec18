"""How the commands explain themselves: under headings, in 80 columns, each with examples."""

from typing import Any

from typer.core import TyperGroup

HEADINGS = {
    "Run the site": ("serve", "reload", "check", "settings", "migrate", "probe"),
    "Backup": ("backup", "restore", "move"),
    "Articles": ("sync", "import", "export", "lint", "links"),
    "Search": ("search", "reindex"),
    "People": ("user", "token"),
}
EXIT_STATUS = (
    "Exit status: 0 when all went well, 1 when something could not be done (what is printed says what to do), 2 when "
    "the command line cannot be understood."
)


def examples(*lines: str) -> str:
    """Return the end of a command's help: command lines to try, kept as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class Headings(TyperGroup):
    """The commands of `omniracle`, listed under headings."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  the names are Typer's, and its types private
        """Write one section for each heading."""
        width = max(map(len, self.commands))
        for heading, names in HEADINGS.items():
            with formatter.section(heading):
                described = [self.commands[name].get_short_help_str(formatter.width - width - 6) for name in names]
                formatter.write_dl([(name.ljust(width), text) for name, text in zip(names, described, strict=True)])
