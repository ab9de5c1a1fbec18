"""The catalogue knows every text of the interface."""

import ast
import re
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.web.language import LANGUAGES, LOCALES, TRANSLATIONS_DIR

PROJECT = Path(__file__).parent.parent.parent
JINJA = [("**.html", "jinja2")]
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}}


def template_messages():
    found = set()
    for _file, _line, message, _comments, _context in extract_from_dir(
        str(PROJECT / "templates"),
        JINJA,
        OPTIONS,
        keywords={"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)},
    ):
        found.add(message if isinstance(message, str) else message[0])
    return found


ERRORS = {
    "Check": 1,
    "Finding": 0,
    "CrossOrigin": 0,
    "Forbidden": 0,
    "Gone": 0,
    "InvalidInput": 0,
    "NotFound": 0,
    "Problem": 1,
    "SignInNeeded": 0,
    "_answer": 2,
    "ngettext": 0,
}  # which argument is the text
# What the other services raise is for the command.
SERVICES = (
    "accounts",
    "checking",
    "contributing",
    "experimenting",
    "identities",
    "images",
    "limits",
    "linking",
    "openid",
    "passwords",
    "removing",
    "reviewing",
)
CONTENT = ("linting",)


def error_messages():
    """Texts of errors and remarks that can reach a page, and the headings of the error pages."""
    found = set()
    for path in (PROJECT / "app").rglob("*.py"):
        if _reaches_pages(path):
            tree = ast.parse(path.read_text())
            found.update(_raised(tree) | _assigned(tree))
    source = (PROJECT / "app/errors.py").read_text()
    found.update(_raised(ast.parse(source)))
    found.update(re.findall(r'^    \d{3}: "(.+)",$', (PROJECT / "app/web/errors.py").read_text(), re.MULTILINE))
    return found


def _reaches_pages(path):
    folder = path.relative_to(PROJECT / "app").parts[0]
    kept = {"services": SERVICES, "content": CONTENT}
    return folder != "cli" and (folder not in kept or path.stem in kept[folder])


def _raised(tree):
    """Texts that are given to an error as it is made, its own class's included."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        place = ERRORS.get(name, 0 if name == "__init__" else None)
        if place is not None and len(node.args) > place:
            found.update(_texts(node.args[place]))
    return found


def _assigned(tree):
    """Texts in variables named `message`, or in dictionaries of reasons."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            getattr(target, "id", "") in ("message", "_REASONS", "TOO_LATE") for target in node.targets
        ):
            found.update(_texts(node.value))
    return found


def _texts(node):
    if isinstance(node, ast.Dict):
        return set().union(*map(_texts, node.values))
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return {node.value} if is_text and " " in node.value else set()


def catalogue(language):
    path = TRANSLATIONS_DIR / f"{LOCALES[language]}.po"
    return read_po(BytesIO(path.read_bytes()), locale=LOCALES[language])


def test_there_is_something_to_translate():
    assert len(template_messages()) > 40
    assert len(error_messages()) > 8


def test_every_text_is_translated():
    wanted = template_messages() | error_messages()
    for language in LANGUAGES:
        if language == "en":
            continue
        known = {
            message.id if isinstance(message.id, str) else message.id[0]: message
            for message in catalogue(language)
            if message.id
        }
        assert wanted - known.keys() == set()
        for message in known.values():
            assert not message.fuzzy, message.id
            strings = [message.string] if isinstance(message.string, str) else message.string
            assert all(strings), message.id


def test_no_translation_is_left_over():
    wanted = template_messages() | error_messages()
    for language in LANGUAGES:
        if language != "en":
            known = {m.id if isinstance(m.id, str) else m.id[0] for m in catalogue(language) if m.id}
            assert known - wanted == set()


def test_places_are_the_same_in_every_language():
    for language in LANGUAGES:
        if language == "en":
            continue
        for message in catalogue(language):
            if message.id:
                ids = [message.id] if isinstance(message.id, str) else list(message.id)
                strings = [message.string] if isinstance(message.string, str) else list(message.string)
                places = set(re.findall(r"%\((\w+)\)", " ".join(ids)))
                assert all(set(re.findall(r"%\((\w+)\)", text)) <= places for text in strings), message.id
