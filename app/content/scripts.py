"""Chinese in the other script: a page in simplified characters for readers of traditional ones, and back.

OpenCC converts by phrases, so that 头发 and 发现 get their own sign each. Only text is converted: code, what is typed
into fields, and what says `translate="no"` (names, for example) stay as they are.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache, partial
from typing import Any, Literal, NamedTuple

from app.content.language import simplest

Script = Literal["hant", "hans"]

LANGS: dict[str, str] = {"hant": "zh-Hant", "hans": "zh-Hans"}
_FROM: dict[str, str] = {"hant": "zh", "hans": "zh-Hant"}  # as `simplest` names what there is to convert
_OPENCC = {"hant": "s2tw", "hans": "t2s"}
_KEPT = frozenset(("code", "pre", "kbd", "samp", "var", "script", "style", "textarea"))
_INLINE = frozenset(  # and "" for comments
    (
        "", "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
        "kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "u", "var", "wbr"
    )
)  # fmt: skip
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)  # fmt: skip
_TOKEN = re.compile(r"<!--(?:[^<]|<(?!!--))*?-->|<![^<>]*>|</?[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>", re.DOTALL)
_NAME = re.compile(r"</?([a-zA-Z][\w:-]*)")
_LANG = re.compile(r'(\slang=")([^"]*)(")')
_SHOWN = re.compile(
    r"(\s(?:title|alt|aria-label|placeholder|data-(?:copy|copied|counted|empty|failed|fetching|label|list-label"
    r'|preview-failed|refused|saved|say|similar|unsaved|waiting))=")([^"]*)'
)
_NOT_TRANSLATED = re.compile(r'\stranslate="no"')
_ADDRESS = re.compile(r"(\b[a-z]+://[^\s<>\"'，。；）]+)")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U000323af]")
# What stands in a text for code within a sentence, and between two blocks: no text holds them, no address goes on
# after them, and no quotation beyond the second.
_KEPT_PIECE, _BREAK = ">", "<"
_QUOTED = {
    "「」": re.compile("\u201c([^\u201c\u201d<]*)\u201d"),
    "『』": re.compile("\u2018((?:[^\u2018\u2019<]|\u2019(?=[a-zA-Z]))*)\u2019(?![a-zA-Z])"),  # no apostrophe in a word
}


class _Element(NamedTuple):
    """An element that is open: is its text in the script to convert from, and is it kept as it is."""

    name: str
    is_source: bool
    is_kept: bool

    @property
    def stand_in(self) -> str | None:
        """What stands for a text in it among the texts to convert; None when it is one of these."""
        return None if self.is_source and not self.is_kept else _KEPT_PIECE


def script_of(lang: str) -> Script | None:
    """Return the script in which a language tag says that Chinese is written; None for other languages."""
    found = _plain(lang)
    return {"zh": "hans", "zh-Hant": "hant"}.get(found or "")  # type: ignore[return-value]


def in_script(html: str, script: Script, lang: str) -> str:
    """Return `html` with its Chinese text in `script`; `lang` is the language around it.

    Elements are told apart by their `lang`, which is changed along; tags have to be balanced.
    """
    kept: list[str | None] = []  # what stays as it is, in turn with None for texts to convert
    read: list[str] = []  # those texts, and what stands for the rest: a mark within a phrase changes nothing
    for part, stand_in in _parts(html, script, lang):
        kept.append(None if stand_in is None else part)
        read.append(part if stand_in is None else stand_in)
    converted = _together(read, partial(_text, script))
    return "".join(text if part is None else part for part, text in zip(kept, converted, strict=True))


def _parts(html: str, script: Script, lang: str) -> Iterator[tuple[str, str | None]]:
    """Yield texts and tags, each with what stands for it among the texts to convert; None for one of these."""
    around = [_Element("", _plain(lang) == _FROM[script], False)]
    position = 0
    for token in _TOKEN.finditer(html):
        if token.start() > position:
            yield html[position : token.start()], around[-1].stand_in
        position = token.end()
        tag = token[0]
        named = _NAME.match(tag)
        name = named[1].lower() if named else ""
        if named and tag[1] != "/":
            element = _opened(tag, name, around[-1], _FROM[script])
            if element.is_source:
                tag = _converted_tag(tag, element, script)
            if name not in _VOID and not tag.endswith("/>"):
                around.append(element)
        elif len(around) > 1 and around[-1].name == name:
            around.pop()
        yield tag, "" if name in _INLINE else _BREAK
    yield html[position:], around[-1].stand_in


def _opened(tag: str, name: str, around: _Element, source: str) -> _Element:
    """Return the element that `tag` opens."""
    own = _LANG.search(tag) if "lang=" in tag else None
    is_kept = around.is_kept or name in _KEPT or ("translate=" in tag and _NOT_TRANSLATED.search(tag) is not None)
    return _Element(name, around.is_source if own is None else _plain(own[2]) == source, is_kept)


def _converted_tag(tag: str, element: _Element, script: Script) -> str:
    """Return an opening tag with its language as it will be, and with what is read out of it converted."""
    if not element.is_kept and "lang=" in tag:
        tag = _LANG.sub(rf"\g<1>{LANGS[script]}\g<3>", tag)
    if (not element.is_kept or element.name == "textarea") and _HAN.search(tag):
        tag = _SHOWN.sub(lambda found: found[1] + _text(script, found[2]), tag)
    return tag


def _together(read: list[str], convert: Callable[[str], str]) -> Iterator[str]:
    """Yield the pieces of a text, converted as the whole that they are."""
    text = "".join(read)
    converted = convert(text) if _HAN.search(text) else text
    if len(converted) != len(text):  # nobody knows which character came from where
        yield from map(convert, read)
        return
    position = 0
    for piece in read:
        yield converted[position : position + len(piece)]
        position += len(piece)


_plain = lru_cache(maxsize=256)(simplest)


def _text(script: Script, text: str) -> str:
    """Convert a text; addresses in it stay as they are."""
    convert = _converter(script)
    if script == "hant":
        text = _with_corners(text)
    if "://" not in text:
        return str(convert(text))
    return "".join(part if _ADDRESS.match(part) else convert(part) for part in _ADDRESS.split(text))


def _with_corners(text: str) -> str:
    """Return `text` with the quotation marks of traditional Chinese; those around or between other words stay."""
    for corners, quoted in _QUOTED.items():

        def turned(found: re.Match[str], corners: str = corners) -> str:
            before = found.string[max(found.start() - 2, 0) : found.start()].rstrip()[-1:]
            after = found.string[found.end() : found.end() + 2].lstrip()[:1]
            is_chinese = _CHINESE.search(before + after) or _HAN.search(found[1])
            return f"{corners[0]}{found[1]}{corners[1]}" if is_chinese else found[0]

        text = quoted.sub(turned, text)
    return text


@cache
def _converter(script: Script) -> Any:
    from opencc import OpenCC  # its data take memory, and most processes never need them

    return OpenCC(_OPENCC[script]).convert
