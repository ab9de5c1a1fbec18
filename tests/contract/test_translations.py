"""The catalogues know every text of the interface, and `make translations` brings them up to it."""

import re
import runpy
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from app.web.language import DEFAULT, LOCALES, TRANSLATIONS_DIR

PROJECT = Path(__file__).parent.parent.parent
TOOL = runpy.run_path(str(PROJECT / ".ci" / "translations.py"))
TEXTS = TOOL["wanted_texts"]()
TRANSLATED = [locale for locale in LOCALES.values() if locale != DEFAULT]


def messages(locale):
    """The entries of a catalogue by the form for one."""
    catalogue = read_po(BytesIO((TRANSLATIONS_DIR / f"{locale}.po").read_bytes()), locale=locale)
    return {forms(message.id)[0]: message for message in catalogue if message.id}


def forms(text):
    return [text] if isinstance(text, str) else list(text)


def test_there_is_something_to_translate():
    assert len(TEXTS) > 500
    assert TEXTS["%(count)s source"] == ("%(count)s source", "%(count)s sources")
    assert "There is nothing at this address." in TEXTS
    assert "Topics" in TEXTS


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_text_is_translated_and_nothing_else(locale):
    known = messages(locale)
    assert TEXTS.keys() - known.keys() == set(), "run `make translations`, and translate what is empty"
    assert known.keys() - TEXTS.keys() == set(), "run `make translations`"
    for message in known.values():
        assert not message.fuzzy, message.id
        assert all(forms(message.string)), message.id


@pytest.mark.parametrize("locale", TRANSLATED)
def test_places_are_the_same_in_every_language(locale):
    for message in messages(locale).values():
        places = set(re.findall(r"%\((\w+)\)", " ".join(forms(message.id))))
        assert all(set(re.findall(r"%\((\w+)\)", text)) <= places for text in forms(message.string)), message.id


def test_a_new_language_gets_every_text_to_translate(tmp_path):
    catalogue = TOOL["updated"](tmp_path / "ga.po", "ga", TEXTS)
    assert {forms(message.id)[0] for message in catalogue if message.id} == TEXTS.keys()
    assert not any(text for message in catalogue if message.id for text in forms(message.string or ""))
    assert catalogue.num_plurals == 5
    assert catalogue.header_comment == "# Irish."


def test_what_translators_wrote_stays(tmp_path):
    (tmp_path / "pl.po").write_text("""# Polish, by friends.
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Nobody uses this"
msgstr "Nikt"

# As one says it to friends.
msgid "Hello there"
msgstr "Cześć"

msgid "Good morning to all of you"
msgstr "Dzień dobry"
""")
    texts = {text: text for text in ("Something else", "Good morning to all of us", "Hello there")}
    catalogue = TOOL["updated"](tmp_path / "pl.po", "pl", texts)
    assert next(message.id for message in catalogue if message.id) == "Hello there"
    assert catalogue["Hello there"].string == "Cześć"
    assert catalogue["Hello there"].user_comments == ["As one says it to friends."]
    assert catalogue["Good morning to all of us"].string == "Dzień dobry"
    assert catalogue["Good morning to all of us"].fuzzy
    assert not catalogue["Something else"].string
    assert list(catalogue.obsolete) == ["Nobody uses this"]
    assert catalogue.header_comment == "# Polish, by friends."
