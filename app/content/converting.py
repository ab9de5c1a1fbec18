"""Markdown to HTML by Python-Markdown, with its extensions that we use and our own."""

import threading
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from markdown import Markdown

from app.content.extensions import OurExtension
from app.content.words import Words

_local = threading.local()


def convert(source: str, words: Words) -> tuple[str, AbstractSet[str], list[Mapping[str, Any]]]:
    """Return the HTML of `source`, not yet clean, the ids that raw HTML gave in it, and its headings as a tree.

    Raises whatever the library does.
    """
    converter, ours = _converter(words)
    try:
        converter.reset()
        html = converter.convert(source)
    except Exception:
        _local.__dict__.clear()  # what fails half-way leaves its converter in an unknown state
        raise
    return html, ours.raw.ids, converter.toc_tokens  # type: ignore[attr-defined]


def _converter(words: Words) -> tuple[Markdown, OurExtension]:
    # Converters keep state while they work and are slow to make: each thread has one for each language.
    if not hasattr(_local, "converters"):
        _local.converters = {}
    converters: dict[Words, tuple[Markdown, OurExtension]] = _local.converters
    if words not in converters:
        ours = OurExtension(words)
        converters[words] = (_new_converter(words, ours), ours)
    return converters[words]


def _new_converter(words: Words, ours: OurExtension) -> Markdown:
    return Markdown(
        extensions=[
            "footnotes",
            "sane_lists",
            "tables",
            "toc",
            "pymdownx.magiclink",
            "pymdownx.quotes",
            "pymdownx.saneheaders",
            "pymdownx.tasklist",
            ours,
        ],
        extension_configs={
            "footnotes": {"BACKLINK_TITLE": words.back, "BACKLINK_TEXT": "↩"},
            "tables": {"use_align_attribute": True},
            "toc": {"toc_depth": "1-6"},
            "pymdownx.quotes": {"callouts": True},
        },
        output_format="html",
    )
