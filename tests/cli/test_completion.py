"""The completion that shells offer for the installed command, in real shells."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from app.cli import app

BIN = Path(sys.executable).parent
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "cli.md"
LINES = {
    shell: line.replace("\\|", "|")
    for shell, line in re.findall(r"^\| (bash|zsh|fish) \| [^|]+ \| `(.+)` \|$", DOCUMENT.read_text(), re.MULTILINE)
}
OPTIONS = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}
SCRIPTS = {  # LINE is the documented one
    "bash": """
LINE
COMP_WORDS=("$0" "$@"); COMP_CWORD=$#
_omniracle_completion omniracle
printf '%s\\n' "${COMPREPLY[@]}"
""",
    # zsh's own completion needs a terminal: this takes what the script hands to it.
    "zsh": """
compdef() { }
_arguments() { eval "offered=(${${1#*\\(\\(}%\\)\\)})"; print -rl -- ${offered%%:*} }
LINE
words=("$0" "$@"); CURRENT=$#words
_omniracle_completion
""",
    "fish": """
LINE
complete -C (string join ' ' -- $argv)
""",
}


@pytest.fixture(params=SCRIPTS)
def complete(request, tmp_path):
    """What a shell offers for words, where no settings are right: completion must not read them."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} is not installed")
    (tmp_path / ".env").write_bytes(b"OMNIRACLE_NO_SUCH_NAME=\xff\n")
    script = SCRIPTS[request.param].replace("LINE", LINES[request.param])
    environ = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "OMNIRACLE_PORT": "none"}

    def offered(*words):
        command = [shell, *OPTIONS[request.param], script, "omniracle", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        assert not (tmp_path / "var").exists()
        return {line.split("\t")[0] for line in done.stdout.splitlines() if line}

    return offered


def test_commands_options_and_choices_are_completed(complete):
    assert complete("") == typer.main.get_command(app).commands.keys()
    assert complete("rei") == {"reindex"}
    assert complete("user", "") == {"add", "list", "passwd", "role", "second-factor-off"}
    assert complete("user", "add", "me@example.org", "--pass") == {"--password-stdin"}
    assert complete("user", "role", "me@example.org", "re") == {"reader", "reviewer"}
    assert complete("probe", "--mode", "k") == {"keep-alive"}


def test_a_command_is_known_without_what_it_works_on():
    slow = {"alembic", "fastapi", "jinja2", "numpy", "sqlalchemy", "sqlmodel", "starlette", "uvicorn", "whoosh"}
    code = "import sys, app.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not slow & set(done.stdout.split())
