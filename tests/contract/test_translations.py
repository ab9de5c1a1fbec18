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


def error_messages():
    """Texts of errors that can reach a page: first arguments of our exceptions, and those of the error handlers."""
    names = {"Forbidden", "NotFound", "InvalidInput", "_answer"}
    found = set()
    for path in (PROJECT / "app").rglob("*.py"):
        if "cli" in path.parts or path.parts[-2] == "content":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                found.update(text for text in texts if " " in text and path.parent.name != "services")
    source = (PROJECT / "app/web/errors.py").read_text()
    found.update(re.findall(r'^    \d{3}: "(.+)",$', source, re.MULTILINE))
    found.update(re.findall(r'message = "([^"]+)"', source))
    return found


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
