"""Brings the catalogues in app/web/translations up to the texts of the site: `make translations`.

Translations and comments stay. What is new stands there empty, what was reworded keeps its old translation and is
marked as fuzzy, and what is used no more goes to the end of the file.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app import __version__
from app.config import PROJECT_DIR, TEMPLATES_DIR
from app.web.language import DEFAULT, LOCALES, TRANSLATIONS_DIR

Text = str | tuple[str, str]  # or its forms for one and for many

KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}
# Which argument of a call is a text that can reach a page.
CALLS = {
    "AlreadyRunning": 0, "Check": 1, "CrossOrigin": 0, "Finding": 0, "Forbidden": 0, "Gone": 0, "InvalidInput": 0,
    "NotFound": 0, "Problem": 1, "SignInNeeded": 0, "__init__": 0, "_answer": 2,
}  # fmt: skip
VARIABLES = ("message", "NOTICES", "_REASONS", "TOO_LATE")
# What other modules of these layers raise is for the command.
MODULES = {
    "services": (
        "accounts", "checking", "checking_postgresql", "contributing", "drafting", "experimenting", "identities",
        "images", "limits", "linking", "openid", "passwords", "removing", "reviewing", "second_factor",
    ),
    "content": ("linting",),
    "cli": (),
}  # fmt: skip


def main() -> None:
    """Write every catalogue anew, and say what is left to do in each."""
    texts = wanted_texts()
    for code, locale in LOCALES.items():
        if code != DEFAULT:
            path = TRANSLATIONS_DIR / f"{locale}.po"
            catalogue = updated(path, locale, texts)
            written = BytesIO()
            write_po(written, catalogue, width=0, no_location=True, include_previous=True)
            path.write_bytes(written.getvalue().rstrip() + b"\n")
            messages = [message for message in catalogue if message.id]
            empty = sum(not all(_forms(message.string or "")) for message in messages)
            fuzzy = sum(message.fuzzy for message in messages)
            print(f"{path.name}: {len(messages)} texts, {empty} to translate, {fuzzy} to look at again.")


def wanted_texts() -> dict[str, Text]:
    """Return all texts of the interface, by the form for one."""
    found: dict[str, Text] = {}
    for text in (*_template_texts(), *_code_texts()):
        if not isinstance(text, str) or text not in found:
            found[_forms(text)[0]] = text
    return found


def updated(path: Path, locale: str, texts: dict[str, Text]) -> Catalog:
    """Return the catalogue at `path` with exactly these texts in it; a new one when there is no file."""
    if path.is_file():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=locale)
    else:
        catalogue = Catalog(
            locale=locale, header_comment=f"# {Locale.parse(locale).english_name}.", project="Omniracle",
            version=__version__, fuzzy=False,
        )  # fmt: skip
    catalogue.msgid_bugs_address = ""
    template = Catalog()
    known = [first for message in catalogue if (first := _forms(message.id)[0]) in texts]
    for first in dict.fromkeys((*known, *texts)):
        template.add(texts[first])
    catalogue.update(template, update_creation_date=False)
    return catalogue


def _template_texts() -> Iterator[Text]:
    method = [("**.html", "jinja2")]
    for _, _, text, _, _ in extract_from_dir(TEMPLATES_DIR, method, {"**.html": OPTIONS}, keywords=KEYWORDS):
        yield text if isinstance(text, str) else (text[0], text[1])


def _code_texts() -> Iterator[Text]:
    """Yield the texts of errors and remarks that can reach a page, and the headings of the error pages."""
    for path in sorted((PROJECT_DIR / "app").rglob("*.py")):
        layer = path.relative_to(PROJECT_DIR / "app").parts[0]
        if path.stem in MODULES.get(layer, (path.stem,)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from _texts_of(node)
    headings = (PROJECT_DIR / "app/web/errors.py").read_text(encoding="utf-8")
    yield from re.findall(r'^    \d{3}: "(.+)",$', headings, re.MULTILINE)


def _texts_of(node: ast.AST) -> Iterable[Text]:
    """Return the texts of one call, or of one assignment."""
    if isinstance(node, ast.Assign):
        named = any(getattr(target, "id", "") in VARIABLES for target in node.targets)
        return _constants(node.value) if named else ()
    if not isinstance(node, ast.Call):
        return ()
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name == "ngettext":
        forms = [text for argument in node.args[:2] for text in _constants(argument)]
        return [(forms[0], forms[1])] if len(forms) == 2 else ()
    place = CALLS.get(name, len(node.args))
    return _constants(node.args[place]) if place < len(node.args) else ()


def _constants(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Dict):
        return [text for value in node.values for text in _constants(value)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        return [node.value]
    return []


def _forms(text: str | Iterable[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


if __name__ == "__main__":
    main()
