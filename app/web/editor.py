"""The editor's form: what comes in from a browser or a draft, and the text that it stands for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from app.content import language
from app.content.document import MAX_RESOURCE_TITLE, MAX_TAG, MAX_TITLE, MAX_URL, Resource, normalised_tag, usable_url
from app.content.editing import Fields, changed_source, fields_of, new_source
from app.content.plain import one_line
from app.errors import InvalidFields, InvalidInput, Problem
from app.services.drafting import Place
from app.web.forms import is_form, read_form

CARD_PARTS = ("section", "url", "title", "description", "site", "archive")
NO_WINDOW = "0"  # of a program, or of a page that has lost its own
PLACE = ("window", "draft", "draft_at")
SECTIONS = ("resources", "more")
SPARE_CARDS = 2  # empty ones at the end of the form
MAX_CARDS = 200
MAX_TAGS = 100
_WINDOW = re.compile(r"[\w-]{1,20}", re.ASCII)


@dataclass(frozen=True)
class Card:
    """One resource card as it was typed."""

    section: str = "resources"
    url: str = ""
    title: str = ""
    description: str = ""
    site: str = ""
    archive: str = ""

    @property
    def is_empty(self) -> bool:
        """True when nothing was typed."""
        return not (self.url or self.title or self.description or self.site or self.archive)


@dataclass(frozen=True)
class EditorForm:
    """`editor` in templates: everything as it was typed."""

    title: str = ""
    lang: str = ""  # empty: found out from the text
    tags: str = ""  # separated by commas
    body: str = ""
    message: str = ""
    base: int = 0  # the revision from which the text comes
    action: str = ""  # the button
    seen: str = ""  # the version of the proposal that was changed
    # Where the window keeps its draft: its own name, the draft's name and stamp.
    window: str = ""
    draft: str = ""
    draft_at: str = ""
    cards: tuple[Card, ...] = ()

    @property
    def shown_cards(self) -> Sequence[Card]:
        """The cards, and empty ones to fill."""
        return (*self.cards, *(Card() for _ in range(SPARE_CARDS)))

    def pairs(self) -> list[tuple[str, str]]:
        """Return the fields as a browser would send them."""
        head = [
            (name, str(getattr(self, name))) for name in ("title", "lang", "tags", "body", "message", "base", "seen")
        ]
        return head + [(f"card_{part}", getattr(card, part)) for card in self.cards for part in CARD_PARTS]

    def place(self, target: str) -> Place:
        """Return where this window keeps its draft of `target`."""
        window = self.window if _WINDOW.fullmatch(self.window) else NO_WINDOW
        base, _, of_window = self.draft.partition("~")
        name = self.draft if base == target and _WINDOW.fullmatch(of_window) else target
        return Place(target, window, name, self.draft_at)

    def source(self, base_source: str | None) -> str:
        """Return the text that the form stands for, as a change of `base_source` when there is one.

        Raises InvalidFields for what cannot be used.
        """
        fields = self._fields()
        return new_source(fields) if base_source is None else changed_source(base_source, fields)

    def _fields(self) -> Fields:
        problems: list[Problem] = []
        title = one_line(self.title)
        if not title:
            problems.append(Problem("title", "Write a question."))
        elif len(title) > MAX_TITLE:
            problems.append(Problem("title", "Use at most %(most)s characters.", {"most": MAX_TITLE}))
        if not self.body.strip():
            problems.append(Problem("body", "Write an answer."))
        lang = language.canonical(self.lang) if self.lang else language.detect(f"{title}\n{self.body}")
        if lang is None:
            problems.append(Problem("lang", "Choose a language."))
        tags = [
            normalised_tag(tag) for tag in self.tags.replace("，", ",").replace("、", ",").split(",") if tag.strip()
        ]
        if any(not tag.strip(".") or len(tag) > MAX_TAG or "/" in tag for tag in tags) or len(tags) > MAX_TAGS:
            message = (
                "Enter up to %(most)s topics of up to %(length)s characters, separated by commas and without slashes."
            )
            problems.append(Problem("tags", message, {"most": MAX_TAGS, "length": MAX_TAG}))
        cards = [card for card in self.cards if not card.is_empty]
        if len(cards) > MAX_CARDS:
            problems.append(Problem("cards", "List at most %(most)s resources.", {"most": MAX_CARDS}))
        elif any(not usable_url(card.url) for card in cards):
            message = "Enter each address in full, starting with https://, in up to %(most)s characters."
            problems.append(Problem("cards", message, {"most": MAX_URL}))
        elif any(not card.title or len(card.title) > MAX_RESOURCE_TITLE for card in cards):
            message = "Give each resource a title of up to %(most)s characters."
            problems.append(Problem("cards", message, {"most": MAX_RESOURCE_TITLE}))
        if problems:
            raise InvalidFields(*problems)
        listed = {section: tuple(_resource(card) for card in cards if card.section == section) for section in SECTIONS}
        body = self.body.lstrip("\n")
        return Fields(title, lang or "en", body, tuple(dict.fromkeys(tags)), listed["resources"], listed["more"])


def form_of(pairs: Iterable[tuple[str, str]]) -> EditorForm:
    """Return the form that was sent, or kept as a draft."""
    values: dict[str, str] = {}
    parts: dict[str, list[str]] = {part: [] for part in CARD_PARTS}
    for name, value in pairs:
        if name.removeprefix("card_") in parts and name.startswith("card_"):
            parts[name.removeprefix("card_")].append(one_line(value))
        else:
            values[name] = value
    cards = tuple(
        replace(Card(*row), section=row[0] if row[0] in SECTIONS else SECTIONS[0])
        for row in zip(*parts.values(), strict=False)
        if any(row[1:])
    )
    return EditorForm(
        title=values.get("title", ""),
        lang=values.get("lang", ""),
        tags=values.get("tags", ""),
        body=values.get("body", "").replace("\r\n", "\n").replace("\r", "\n"),
        message=values.get("message", ""),
        base=number_in(values.get("base", "")),
        action=values.get("action", ""),
        seen=values.get("seen", ""),
        **{name: values.get(name, "") for name in PLACE},
        cards=cards,
    )


def form_of_source(source: str, *, base: int, message: str = "") -> EditorForm:
    """Return the form that shows a source; raise InvalidInput for one that does not keep to the format."""
    fields = fields_of(source)
    cards = [
        Card(section, each.url, each.title, each.description, each.site or "", each.archive or "")
        for section, listed in (("resources", fields.resources), ("more", fields.more))
        for each in listed
    ]
    return EditorForm(fields.title, fields.lang, ", ".join(fields.tags), fields.body, message, base, cards=tuple(cards))


async def sent_form(request: Request) -> EditorForm:
    """Return the form that a browser sent; raise InvalidInput when it is none."""
    if not is_form(request):
        raise InvalidInput("This is not a form of the editor. Reload the editor and try again.")
    form = await read_form(request)
    return form_of([(name, value) for name, value in form.multi_items() if isinstance(value, str)])


async def sent_values(request: Request) -> dict[str, str]:
    """Return the fields of any form that a browser sent."""
    form = await read_form(request)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


SentValues = Annotated[dict[str, str], Depends(sent_values)]
SentForm = Annotated[EditorForm, Depends(sent_form)]


def _resource(card: Card) -> Resource:
    return Resource(card.url, card.title, card.description, card.site or None, card.archive or None)


def number_in(text: str) -> int:
    """Return the whole number that a field holds, 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
