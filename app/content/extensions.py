"""Our own extensions of Python-Markdown: GitHub's layout, safe HTML, headings, tables, and bounds for its work."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.inlinepatterns import HtmlInlineProcessor, InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from pymdownx.magiclink import MagiclinkMailPattern

from app.content.bounds import Bounds
from app.content.layout import TIGHT, Layout
from app.content.pictures import size_of
from app.content.raw_html import RawHtml
from app.content.syntax import with_spaces
from app.content.words import Words

_HEADINGS = frozenset(f"h{level}" for level in range(1, 7))
# An address, its parts no longer than they may be: the library's own pattern tries every place of a text that goes on.
_MAIL = (
    r"(?i)(?P<mail>(?<![-/+@a-z\d_])[-+a-z\d_](?:[-a-z\d_+]|\.(?!\.)){0,63}(?<!\.)@[-a-z\d_]{1,63}\."
    r"(?:[-a-z\d_]|(?<!\.)\.(?!\.)){0,250}[a-z]\b(?![-@]))"
)
_OF_THE_PAGE = re.compile(r"page-|field-|header-")  # how the ids begin that the page around an answer has
_PUNCTUATION = "\\`*_{}[]()>#+-.!\"$%&',/:;<=?@^|~"


class OurExtension(Extension):
    """Registers everything below; `raw` is the record of the raw HTML in the document that is converted."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.words = words
        self.raw = RawHtml(words.table)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  the library's name
        """Register with a converter, after all other extensions."""
        md.registerExtension(self)
        md.ESCAPED_CHARS = list(_PUNCTUATION)
        md.preprocessors.deregister("normalize_whitespace")  # it takes the tabs out of code
        md.preprocessors.deregister("html_block")  # the layout keeps blocks of HTML aside, by GitHub's rules
        md.preprocessors.register(_LayoutPreprocessor(md, self), "layout", 25)
        md.treeprocessors.register(_TightLists(md), "tight_lists", 45)
        md.treeprocessors.register(Bounds(md), "bounds", 22)
        md.treeprocessors.register(_Headings(md), "headings", 15)
        md.treeprocessors.register(_HeadingLinks(md, self.words), "heading_links", 3)
        md.treeprocessors.register(_Labels(md, self.words), "labels", 2)
        md.treeprocessors.register(_CheckboxNames(md, self.words), "checkbox_names", 1)
        html = md.inlinePatterns["html"]
        md.inlinePatterns.register(_SafeHtml(html.pattern, md, self), "html", 90)
        md.inlinePatterns.register(_BareLink(_BareLink.PATTERN, md), "magic-link", 85)
        md.inlinePatterns.register(MagiclinkMailPattern(_MAIL, md), "magic-mail", 84.9)
        assert md.delimiters is not None
        md.delimiters.add("~", "del", double=True)
        # Two brackets with a space between them are no link.
        md.inlinePatterns["reference"].RE_LINK = re.compile(r"\[([^\[\]]*)\]")  # type: ignore[attr-defined]

    def reset(self) -> None:
        """Forget the last document."""
        self.raw = RawHtml(self.words.table)


class _LayoutPreprocessor(Preprocessor):
    """Lays the blocks out for the library; see app.content.layout."""

    def __init__(self, md: Markdown, ours: OurExtension) -> None:
        super().__init__(md)
        self._ours = ours

    def run(self, lines: list[str]) -> list[str]:
        return Layout(self.md.htmlStash.store, self._ours.raw, self._ours.words).lines(with_spaces(lines))


class _TightLists(Treeprocessor):
    """Takes the paragraphs out of the items that the layout marked as tight, and the mark with them."""

    def run(self, root: Element) -> None:
        for item in root.iter("li"):
            if item.text and item.text.startswith(TIGHT):
                item.text = item.text.removeprefix(TIGHT).lstrip("\n")
            elif len(item) and item[0].tag == "p" and item[0].text == TIGHT:
                self._unwrap(item)

    def _unwrap(self, item: Element) -> None:
        children = list(item)[1:]
        for child in list(item):
            item.remove(child)
        for child in children:
            if child.tag != "p":
                item.append(child)
            elif len(item):
                item[-1].tail = "\n".join(filter(None, [item[-1].tail, child.text]))
            else:
                item.text = "\n".join(filter(None, [(item.text or "").strip(), child.text]))


class _Headings(Treeprocessor):
    """Gives headings their ids, as GitHub makes them, and levels below the page's title, an H1, without gaps."""

    CUSTOM_ID = re.compile(r"\s*\{:?\s*#([\w.:-]+)[^{}]*\}\s*$")

    def run(self, root: Element) -> None:
        headings = [element for element in root.iter() if element.tag in _HEADINGS]
        above: list[str] = []  # the headings that the next one may stand under
        taken: set[str] = set()
        following: Counter[str] = Counter()
        for heading in headings:
            while above and above[-1] >= heading.tag:
                above.pop()
            above.append(heading.tag)
            heading.tag = f"h{min(6, len(above) + 1)}"
            name = self._custom_id(heading) or self._slug(self._text(heading))
            number = following[name]
            while (candidate := f"{name}-{number}" if number else name) in taken:
                number += 1
            taken.add(candidate)
            following[name] = number + 1
            heading.set("id", candidate)

    def _custom_id(self, heading: Element) -> str:
        last = heading[-1] if len(heading) else None
        text = heading.text if last is None else last.tail
        found = self.CUSTOM_ID.search(text or "", max(0, len(text or "") - 200))
        if not found or not text:
            return ""
        if last is None:
            heading.text = text[: found.start()]
        else:
            last.tail = text[: found.start()]
        return self._slug(found[1])

    def _text(self, heading: Element) -> str:
        return re.sub(r"\x02(\d+)\x03", lambda code: chr(int(code[1])), self._words(heading))

    def _words(self, element: Element) -> str:
        if element.get("class") == "footnote-ref":
            return ""
        return (element.text or "") + "".join(self._words(child) + (child.tail or "") for child in element)

    @staticmethod
    def _slug(text: str) -> str:
        kept = re.sub(r"[^\w\- ]", "", re.sub(r"\x02.*?\x03", "", text)).strip().lower()
        name = re.sub(r"\s", "-", kept)[:100] or "section"
        return f"section-{name}" if _OF_THE_PAGE.match(name) else name


class _HeadingLinks(Treeprocessor):
    """Puts beside each heading a link to it; inside, it would be read aloud as a part of the heading."""

    def __init__(self, md: Markdown, words: Words) -> None:
        super().__init__(md)
        self._words = words

    def run(self, root: Element) -> None:
        names = dict(self._names(self.md.toc_tokens))  # type: ignore[attr-defined]
        for parent in list(root.iter()):
            for position, element in enumerate(parent):
                if element.tag in _HEADINGS:
                    parent[position] = self._linked(element, names[element.attrib["id"]])

    def _names(self, tokens: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        for token in tokens:
            yield token["id"], unescape(token["name"])
            yield from self._names(token["children"])

    def _linked(self, heading: Element, name: str) -> Element:
        wrapper = Element("div", {"class": "heading"})
        label = self._words.link_here.format(name)
        link = Element("a", {"class": "headerlink", "href": f"#{heading.attrib['id']}", "aria-label": label})
        link.text = "#"
        wrapper.extend([heading, link])
        wrapper.tail, heading.tail = heading.tail, None
        return wrapper


class _Labels(Treeprocessor):
    """Lets wide tables scroll by keyboard, names what only sighted readers could name, and lets images load late."""

    def __init__(self, md: Markdown, words: Words) -> None:
        super().__init__(md)
        self._words = words

    def run(self, root: Element) -> None:
        for link in root.iter("a"):
            if link.get("class") == "footnote-backref":
                link.set("aria-label", link.attrib.pop("title", ""))
        for image in root.iter("img"):
            image.attrib |= {"loading": "lazy", "decoding": "async"}
            if size := size_of(image.get("src", "")):
                image.attrib |= dict(zip(("width", "height"), size, strict=True))
        for div in root.iter("div"):
            if div.get("class") == "footnote":
                div.attrib |= {"role": "doc-endnotes", "aria-label": self._words.footnotes}
        number = 0
        for parent in list(root.iter()):
            for position, table in enumerate(parent):
                if table.tag == "table" and parent.get("class") != "table-scroll":
                    number += 1
                    parent[position] = self._scrolling(table, number)

    def _scrolling(self, table: Element, number: int) -> Element:
        name = (
            self._words.table if number == 1 else f"{self._words.table} {number}"
        )  # no two landmarks are called alike
        label = {"class": "table-scroll", "tabindex": "0", "role": "region", "aria-label": name}
        wrapper = Element("div", label)
        wrapper.append(table)
        wrapper.tail, table.tail = table.tail, None
        return wrapper


class _SafeHtml(HtmlInlineProcessor):
    """Inline HTML, tamed; see app.content.raw_html."""

    def __init__(self, pattern: str, md: Markdown, ours: OurExtension) -> None:
        super().__init__(pattern, md)
        self._ours = ours

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # type: ignore[override]  # noqa: ARG002, N802
        html = self._ours.raw.tame(self.backslash_unescape(self.unescape(m[1])))
        return self.md.htmlStash.store(html), m.start(0), m.end(0)


class _BareLink(InlineProcessor):
    """Links written without marks: they may stand right behind Chinese text, and end where it goes on."""

    ANCESTOR_EXCLUDES = ("a",)
    PATTERN = (
        r"(?i)(?<![a-z0-9@/.:_-])(?:https?://(?=\w)|www\.(?=[^\W_]))"
        r"[-\w.?,!'(){}\[\]/+&@%$#=:\"|~;*]*(?:[^_\W]|[-/#@$+=])"
    )
    CHINESE = re.compile(r"(?<=[A-Za-z0-9])[\u2e80-\u9fff\uf900-\ufaff]")

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]  # noqa: N802
        text, end = m[0], m.end()
        if found := self.CHINESE.search(text):
            text, end = text[: found.start()], m.start() + found.start()
        elif text.count("(") > text.count(")") and data[end : end + 1] == ")":
            text, end = f"{text})", end + 1
        link = Element("a", {"href": f"http://{text}" if text[0] in "wW" else text})
        link.text = AtomicString(text)
        return link, m.start(), end


class _CheckboxNames(Treeprocessor):
    """Gives the boxes of task lists a name that can be read aloud."""

    def __init__(self, md: Markdown, words: Words) -> None:
        super().__init__(md)
        self._words = words

    def run(self, root: Element) -> None:  # noqa: ARG002  they are not in the tree
        stash = self.md.htmlStash.rawHtmlBlocks
        for number, html in enumerate(stash):
            if isinstance(html, str) and html.startswith('<input type="checkbox"'):
                name = self._words.done if " checked" in html else self._words.open
                stash[number] = html.replace("<input", f'<input aria-label="{name}"', 1)
