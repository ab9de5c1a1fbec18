"""The documents say what the code does."""

import re
import runpy
import subprocess
from pathlib import Path

import pytest
import typer

from app.cli import app as command_line
from app.config import Settings
from app.content.document import MAX_RESOURCE_TITLE, MAX_TAG, MAX_TITLE, MAX_URL
from app.content.rendering import MAX_AMPERSANDS, MAX_FOOTNOTES, MAX_LENGTH, MAX_LINES
from app.environment import given_settings, load_settings
from app.search import query
from app.services import drafting, images, limits, passwords, removing, reviewing
from app.services.accounts import MAX_EMAIL, MAX_NAME
from app.services.contributing import MAX_MESSAGE, MAX_SOURCE
from app.services.engines import connections_of_worker
from app.services.wanting import MAX_QUERY
from app.web import fair_turns, mcp, state
from app.web.editor import MAX_CARDS, MAX_TAGS
from app.web.forms import MAX_FIELDS
from app.web.routes import feedback
from app.web.routes.api import MAX_LIMIT, MAX_OFFSET
from app.workers import probing, protocol
from tests.loops import run

PROJECT = Path(__file__).parent.parent.parent
DOCS = PROJECT / "docs"


def commands():
    found = {}
    for name, command in typer.main.get_command(command_line).commands.items():
        group = getattr(command, "commands", None)
        found |= {f"{name} {part}": each for part, each in group.items()} if group else {name: command}
    return found


def test_the_tables_of_settings_are_those_of_the_code():
    text = (DOCS / "configuration.md").read_text()
    assert runpy.run_path(str(DOCS / "generate.py"))["with_tables"](text) == text, "run `make docs`"
    for field in Settings.model_fields.values():
        assert f"| `{field.alias}` |" in text
        assert field.description in text


def test_the_example_of_settings_can_be_used(tmp_path):
    example = re.search(r"```ini\n(.*?)```", (DOCS / "configuration.md").read_text(), re.DOTALL)[1]
    (tmp_path / ".env").write_text(example)
    assert len(given_settings({}, tmp_path / ".env")) > 3
    load_settings({}, tmp_path / ".env")


def test_every_command_is_documented_with_its_options():
    text = (DOCS / "cli.md").read_text()
    documented = dict(re.findall(r"^\| `omniracle ([a-z-]+(?: [a-z][a-z-]*)?)([^`]*)` \|", text, re.MULTILINE))
    assert documented.keys() == commands().keys()
    for name, command in commands().items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert set(re.findall(r"--[\w-]+", documented[name])) == options - {"--help"}, name


def test_every_command_has_help():
    for name, command in commands().items():
        assert command.help, name


def test_every_front_matter_key_is_documented():
    from app.content.document import Document

    text = (DOCS / "content-format.md").read_text()
    for name in Document.__dataclass_fields__:
        if name not in ("body", "extra"):
            assert f"| `{name}` |" in text, name


def test_every_tool_for_language_models_is_documented_with_its_arguments():
    from app.web.mcp_tools import new_server

    text = (DOCS / "mcp.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", arguments)) for name, arguments in rows}
    tools = run(new_server(Settings()).list_tools())
    assert documented == {tool.name: set(tool.input_schema["properties"]) for tool in tools}


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{path.name}" for path in DOCS.glob("*.md"))])
def test_links_between_documents_lead_somewhere(document):
    path = PROJECT / document
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_readme_names_the_commands_of_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", (PROJECT / "README.md").read_text()))
    assert named <= targets
    assert {"run", "test", "setup", "check", "bench", "help"} <= targets


def test_lock_files_name_no_place_to_download_from():
    for path in PROJECT.glob(".ci/requirements*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?:|index-url|find-links|file:", text)


def test_authors_are_told_how_long_an_answer_may_be():
    text = " ".join((DOCS / "content-format.md").read_text().split())
    assert (
        f"more than {MAX_LENGTH:,} characters, {MAX_LINES:,} lines, {MAX_FOOTNOTES:,} footnote marks or "
        f"{MAX_AMPERSANDS:,} ampersands and no-break spaces is shown"
    ) in text


def test_every_limit_stands_in_the_table_of_limits():
    text = (DOCS / "configuration.md").read_text().partition("## What has a limit")[2].partition("## ")[0]
    fixed = (
        MAX_TITLE, MAX_TAGS, MAX_TAG, MAX_SOURCE, MAX_LENGTH, MAX_CARDS, MAX_RESOURCE_TITLE, MAX_URL, MAX_MESSAGE,
        removing.MAX_REASON, reviewing.MAX_REASON, feedback.MAX_REASON, MAX_QUERY, MAX_NAME, MAX_EMAIL,
        passwords.MIN_LENGTH, passwords.MAX_LENGTH, query.MAX_LENGTH, query.MAX_TERMS, MAX_LIMIT, MAX_OFFSET,
        MAX_FIELDS, images.MAX_PIXELS // 1_000_000, images.MAX_SIDE, images.MAX_FRAMES, probing.MAX_REQUESTS,
        probing.MAX_CONCURRENCY, mcp.MAX_BODY_BYTES // 1024, protocol.MAX_HEAD // 1024, int(protocol.PATIENCE_S),
        protocol.SLOWEST, protocol.MAX_CONNECTIONS, drafting.MAX_DRAFTS, state.SEARCHES, state.RENDERINGS,
        state.DECODINGS, state.IMAGE_READS, fair_turns.MOST_OF_ONE, fair_turns.MOST_WAITING,
        fair_turns.MOST_OF_ONE * state.IMAGE_ROOM, fair_turns.MOST_WAITING * state.IMAGE_ROOM,
        *(getattr(limits, name).most for name in (
            "SIGN_IN", "SIGN_IN_AT", "SIGN_IN_FROM", "PREVIEW", "LINK", "IMAGE", "FEEDBACK", "WISH", "EXPERIMENT")),
    )  # fmt: skip
    named = set(re.findall(r"\d[\d,]*", text))
    assert [figure for figure in fixed if f"{figure:,}" not in named] == []


def test_how_many_workers_the_connections_of_postgresql_bear():
    told = " ".join((DOCS / "search-engines.md").read_text().split())
    settings = Settings()
    searching = connections_of_worker(settings.model_copy(update={"search_engine": "postgresql"}))
    one = connections_of_worker(settings)
    assert f"up to {one}, and {searching} where PostgreSQL searches" in told
    assert f"{97 // one} workers ({97 // one * one} connections)" in told
    assert f"{97 // searching} where it searches ({97 // searching * searching})" in told
    assert f"up to {one} connections" in " ".join((DOCS / "deploying.md").read_text().split())


def test_every_test_that_the_document_on_security_names_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "security.md").read_text())
    assert len(named) > 50
    for path, name in named:
        assert re.search(rf"^def {name}\(", (PROJECT / path).read_text(), re.MULTILINE), f"{path}::{name}"


def test_no_file_is_too_long_to_read():
    listed = subprocess.run(["git", "ls-files", "app", "templates"], cwd=PROJECT, capture_output=True, text=True)
    names = listed.stdout.splitlines()
    assert "app/main.py" in names
    for name in names:
        path = PROJECT / name
        if path.suffix == ".py" and path.exists():
            assert len(path.read_text().splitlines()) <= 300, name
        if path.suffix == ".html" and path.exists():
            assert len(path.read_text().splitlines()) <= 120, name
