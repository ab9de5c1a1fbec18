"""Code blocks as HTML with Pygments' CSS classes."""

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING

from pygments.token import STANDARD_TYPES

if TYPE_CHECKING:
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexer import Lexer

# Some lexers need quadratic time: longer code, or code with a longer line, is shown without colours.
MAX_LENGTH = 40_000
MAX_LINE = 2_000

CLASSES = frozenset(STANDARD_TYPES.values()) - {""}

_NAME = re.compile(r"[\s{.]*([A-Za-z0-9_+#/-][A-Za-z0-9_+#./-]{0,39})")
_UNCOLOURED = re.compile(r'<span class="(?:n|nx|p|w)">([^<]*)</span>')  # a third of the HTML, and it shows nothing


def code_block(code: str, info: str) -> str:
    """Return `code` as a block of HTML; `info` is what its author wrote behind the fence."""
    language = _language_of(info)
    lexer = _lexer(language) if len(code) <= MAX_LENGTH and not re.search(rf".{{{MAX_LINE}}}", code) else None
    inner = _coloured(code, lexer) if lexer and code.strip() else escape(code, quote=False)
    inner = _UNCOLOURED.sub(r"\1", inner)
    attribute = f' data-lang="{escape(language)}"' if language else ""
    return f'<div class="highlight"{attribute}><pre tabindex="0"><code>{inner}</code></pre></div>'


# Pygments takes 2 MB, and whoever only reads what was rendered before never needs it.
def _coloured(code: str, lexer: "Lexer") -> str:
    from pygments import highlight

    return highlight(code, lexer, _formatter())


@cache
def _formatter() -> "HtmlFormatter[str]":
    from pygments.formatters.html import HtmlFormatter

    return HtmlFormatter(nowrap=True)


def _language_of(info: str) -> str:
    """Return the language that an info string names: `py`, also for `py title="x"`, `{.py}` and `py{1,3}`."""
    found = _NAME.match(info)
    return found[1].lower() if found else ""


def _lexer(language: str) -> "Lexer | None":
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    # A new one each time: several lexers keep state while they work, and threads render at once.
    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
