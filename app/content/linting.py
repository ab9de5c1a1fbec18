"""What a careful reviewer would remark on in an answer; nothing of it keeps it from being published."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from app.content.document import Document

SHORT = 80  # characters of an answer that hardly explains anything

_FENCED = re.compile(r"^( {0,3})(`{3,}+|~{3,}+)([^\n]*)\n.*?(?:^ {0,3}\2[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+\S", re.MULTILINE)
_IMAGE_WITHOUT_WORDS = re.compile(r"!\[\s*\]\(")
_PLAIN_LINK = re.compile(r"\]\((http://[^)\s]+)")


@dataclass(frozen=True)
class Finding:
    """A remark; the message is an English gettext msgid, `params` fill its places."""

    message: str
    params: dict[str, object] = field(default_factory=dict)


def findings(document: Document) -> list[Finding]:
    """Return the remarks on a document, the weightiest first."""
    prose = _FENCED.sub("", document.body)
    return [*_on_the_whole(document, prose), *_on_headings(prose), *_on_details(document, prose)]


def _on_the_whole(document: Document, prose: str) -> Iterator[Finding]:
    if not document.resources:
        yield Finding("It has no sources, so readers cannot check it.")
    if len(prose.strip()) < SHORT:
        yield Finding("The answer is very short.")
    if not document.tags:
        yield Finding("It has no topic, so nobody will find it by browsing topics.")


def _on_headings(prose: str) -> Iterator[Finding]:
    levels = [len(match[1]) for match in _HEADING.finditer(prose)]
    if 1 in levels:
        yield Finding("The text has a level 1 heading, but the title is one already. Start with ##.")
    for before, level in pairwise([1, *levels]):
        if level > before + 1:
            params: dict[str, object] = {"level": level, "before": before}
            yield Finding("A level %(level)s heading follows a level %(before)s one. Do not skip levels.", params)
            break


def _on_details(document: Document, prose: str) -> Iterator[Finding]:
    if any(not match[3].strip() for match in _FENCED.finditer(document.body)):
        yield Finding("A code block does not name its language.")
    if _IMAGE_WITHOUT_WORDS.search(prose):
        yield Finding("An image has no description for people who cannot see it.")
    if link := _PLAIN_LINK.search(prose):
        yield Finding("A link leads to an unencrypted page: %(url)s", {"url": link[1]})
    addresses = [card.url for card in (*document.resources, *document.more)]
    for url in sorted({url for url in addresses if addresses.count(url) > 1}):
        yield Finding("A resource is listed twice: %(url)s", {"url": url})
