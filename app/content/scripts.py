"""Chinese in the other script: a page in simplified characters for readers of traditional ones, and back.

OpenCC converts by phrases, so that 头发 and 发现 get their own sign each. Only text is converted: code, what is typed
into fields, and what says `translate="no"` (names, for example) stay as they are.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache, partial
from itertools import accumulate, pairwise
from typing import Any, Literal

from app.content.language import simplest

Script = Literal["hant", "hans"]

LANGS: dict[str, str] = {"hant": "zh-Hant", "hans": "zh-Hans"}
_FROM: dict[str, str] = {"hant": "zh", "hans": "zh-Hant"}  # as `simplest` names what there is to convert
_OPENCC = {"hant": "s2tw", "hans": "t2s"}
_KEPT = frozenset(("code", "pre", "kbd", "samp", "var", "script", "style", "textarea"))
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)  # fmt: skip
_TOKEN = re.compile(
    r"<!--(?:[^<]|<(?!!--))*?-->|<![^<>]*>|</?(?!wbr>)[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>", re.DOTALL
)
_NAME = re.compile(r"</?([a-zA-Z][\w:-]*)")
_LANG = re.compile(r'(\slang=")([^"]*)(")')
_SHOWN = re.compile(r'(\s(?:title|alt|aria-label|placeholder|data-cop(?:y|ied)|data-list-label|data-counted)=")([^"]*)')
_NOT_TRANSLATED = re.compile(r'\stranslate="no"')
_ADDRESS = re.compile(r"(\b[a-z]+://[^\s<>\"'，。；）]+)")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")


def script_of(lang: str) -> Script | None:
    """Return the script in which a language tag says that Chinese is written; None for other languages."""
    found = _plain(lang)
    return {"zh": "hans", "zh-Hant": "hant"}.get(found or "")  # type: ignore[return-value]


def in_script(html: str, script: Script, lang: str) -> str:
    """Return `html` with its Chinese text in `script`; `lang` is the language around it.

    Elements are told apart by their `lang`, which is changed along; tags have to be balanced.
    """
    return "".join(_converted(html, script, lang))


def _converted(html: str, script: Script, lang: str) -> Iterator[str]:
    convert = partial(_text, script)
    source = _FROM[script]
    around = [("", _plain(lang) == source, False)]  # of each open element: its name, is it converted, is it kept
    position = 0
    for token in _TOKEN.finditer(html):
        is_source, is_kept = around[-1][1:]
        text = html[position : token.start()]
        yield convert(text) if is_source and not is_kept and _HAN.search(text) else text
        position = token.end()
        tag = token[0]
        named = _NAME.match(tag)
        if named is None:
            yield tag
            continue
        name = named[1].lower()
        if tag[1] == "/":
            if len(around) > 1 and around[-1][0] == name:
                around.pop()
            yield tag
            continue
        is_kept = is_kept or name in _KEPT or _NOT_TRANSLATED.search(tag) is not None
        if (own := _LANG.search(tag)) is not None:
            is_source = _plain(own[2]) == source
            if is_source and not is_kept:
                tag = _LANG.sub(rf"\g<1>{LANGS[script]}\g<3>", tag)
        if is_source and not (is_kept and name != "textarea") and _HAN.search(tag):
            tag = _SHOWN.sub(lambda found: found[1] + convert(found[2]), tag)
        yield tag
        if name not in _VOID and not tag.endswith("/>"):
            around.append((name, is_source, is_kept))
    rest = html[position:]
    yield convert(rest) if around[-1][1] and not around[-1][2] and _HAN.search(rest) else rest


_plain = lru_cache(maxsize=256)(simplest)


def _text(script: Script, text: str) -> str:
    """Convert a text; addresses in it stay as they are, and it is read over the places where its lines may end."""
    convert = _converter(script)
    if "<wbr>" in text:
        parts = text.split("<wbr>")
        ends = list(accumulate(map(len, parts)))
        converted = _text(script, "".join(parts))
        if len(converted) != ends[-1]:
            return converted
        return "<wbr>".join(converted[start:end] for start, end in pairwise([0, *ends]))
    if "://" not in text:
        return str(convert(text))
    return "".join(part if _ADDRESS.match(part) else convert(part) for part in _ADDRESS.split(text))


@cache
def _converter(script: Script) -> Any:
    from opencc import OpenCC  # its data take memory, and most processes never need them

    return OpenCC(_OPENCC[script]).convert
