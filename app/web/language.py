"""The language of the interface: which ones there are, and which one a reader gets."""

import gettext
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import get_args

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.content.scripts import Script, script_of

TRANSLATIONS_DIR = Path(__file__).parent / "translations"
DEFAULT = "en"
LANGUAGES = {"en": "English", "zh-Hans": "中文"}
LOCALES = {code: code.replace("-", "_") for code in LANGUAGES}  # as Babel and the catalogues name them
COOKIE = "lang"

SCRIPTS: tuple[Script, ...] = get_args(Script)
AS_WRITTEN = "written"
SCRIPT_COOKIE = "script"

current: ContextVar[str] = ContextVar("language", default=DEFAULT)


def negotiate(cookie: str | None, accept_language: str) -> str:
    """Return the language to answer in: the reader's own choice, else the best of the Accept-Language header."""
    if cookie in LANGUAGES:
        return cookie
    return next(filter(None, map(_nearest, _by_preference(accept_language))), DEFAULT)


def preferred_script(cookie: str | None, accept_language: str) -> Script | None:
    """Return the script in which a reader wants to see Chinese: as chosen, else traditional where the browser asks so.

    None leaves every text as it was written.
    """
    if cookie == AS_WRITTEN:
        return None
    for script in SCRIPTS:
        if cookie == script:
            return script
    chinese = (tag for tag in _by_preference(accept_language) if tag.lower().startswith("zh"))
    return "hant" if script_of(next(chinese, "")) == "hant" else None


def translate(message: str, params: Mapping[str, object] | None = None) -> str:
    """Return `message` in the current language, its %(name)s places filled."""
    text = catalogue(current.get()).gettext(message)
    return text % params if params else text


def translate_plural(one: str, many: str, number: int) -> str:
    """Return the form of a text in the current language that goes with `number`."""
    return catalogue(current.get()).ngettext(one, many, number)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English is the language of the messages themselves."""
    path = TRANSLATIONS_DIR / f"{LOCALES[language]}.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=LOCALES[language])
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _nearest(tag: str) -> str | None:
    """Return the language of the interface for a language tag: the same, else one that begins alike."""
    first = tag.partition("-")[0].lower()
    alike = [code for code in LANGUAGES if code.partition("-")[0] == first]
    return next((code for code in alike if code.lower() == tag.lower()), next(iter(alike), None))


def _by_preference(header: str) -> list[str]:
    weighted = []
    for position, part in enumerate(header[:1000].split(",")):
        tag, _, parameter = part.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            quality = 0.0
        if tag and quality > 0:
            weighted.append((-quality, position, tag))
    return [tag for _, _, tag in sorted(weighted)]
