"""What the command line says about itself, and about mistakes."""

import re
import shlex

import pytest
import typer
from typer.testing import CliRunner

from app import __version__
from app.cli import app

ROOT = typer.main.get_command(app)


def every(group, path=()):
    """Each command by its words, groups too."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from every(command, (*path, name))


COMMANDS = dict(every(ROOT))


def run(*arguments):
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, list(arguments), prog_name="omniracle")


def test_each_command_is_under_a_heading_with_a_whole_sentence():
    text = run("--help").output
    sections = re.findall(r"^(\S[^\n]*):\n((?:  \S[^\n]*\n)+)", text, re.MULTILINE)
    listed = {line.split()[0]: line.split(maxsplit=1)[1] for heading, lines in sections if heading != "Options"
              for line in lines.splitlines()}  # fmt: skip
    assert listed.keys() == ROOT.commands.keys()
    assert all(re.fullmatch(r"[A-Z].*\.", sentence) and "..." not in sentence for sentence in listed.values())


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_help_fits_into_eighty_columns(words):
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    # What shells show beside a completion is no longer than this.
    assert not words or "..." not in COMMANDS[words].get_short_help_str()


@pytest.mark.parametrize("words", [words for words, command in COMMANDS.items() if not hasattr(command, "commands")])
def test_the_examples_can_be_typed(words):
    lines = re.findall(r"^ +omniracle (.+)$", run(*words, "--help").output.partition("Examples:")[2], re.MULTILINE)
    assert lines
    for line in lines:
        typed = shlex.split(re.split(r" [<|] ", line)[0])
        assert tuple(typed[: len(words)]) == words
        COMMANDS[words].make_context(" ".join(words), typed[len(words) :])


def test_version():
    assert run("--version").output == f"omniracle {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("serach", "x"), "Did you mean 'search'"),
        (("user", "ad"), "Did you mean 'add'?"),
        (("serve", "--prot", "1"), "--port"),
        (("serve", "--port", "0"), "Invalid value for '--port'"),
        (("user", "role", "me@example.org", "boss"), "'reader', 'contributor', 'reviewer', 'admin'"),
    ],
    ids=str,
)
def test_a_mistake_is_answered_with_what_to_do(typed, said):
    result = run(*typed)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "--help' for help" in result.stderr
    assert "Exit status: 0 when all went well, 1 when" in run("--help").output
