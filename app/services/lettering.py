"""Text in the site's own fonts: a bare server has none, and no font has every character."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from PIL import ImageDraw, ImageFont

from app.config import FONTS_DIR
from app.content.breaking import is_wide

LATIN, CHINESE, EMOJI = "inter-bold.ttf", "noto-sans-sc-bold.otf", "noto-emoji-bold.ttf"
SHARED = frozenset("“”‘’…—·")  # noqa: RUF001  signs of both scripts, as wide as what stands beside them
MISSING = "〓"  # what Chinese printers put where they lack a character
BETWEEN_SCRIPTS = 0.12  # of the size, as style sheets do where no space is written

_LETTERS_OF_FLAGS = {0x1F1E6 + number: 0x41 + number for number in range(26)}
_SECONDS_OF_EMOJI = re.compile("\u200d.|[\U0001f3fb-\U0001f3ff]")  # what is joined to a first one, and tones of skin


class Inks(NamedTuple):
    """The colours of letters, of emoji, and of what stands for missing characters."""

    text: str
    emoji: str
    missing: str


class Face:
    """The fonts at one size, in pixels."""

    def __init__(self, size: float) -> None:
        self.size = size
        self._fonts = {
            name: ImageFont.truetype(FONTS_DIR / name, size, layout_engine=ImageFont.Layout.BASIC)
            for name in (LATIN, CHINESE, EMOJI)
        }
        self._chosen: dict[tuple[str, bool], str | None] = {}

    def readable(self, text: str) -> str:
        """Return `text` in characters that the fonts have."""
        text = unicodedata.normalize("NFC", " ".join(text.split())).translate(_LETTERS_OF_FLAGS)
        kept = (each for each in _SECONDS_OF_EMOJI.sub("", text) if not _is_mark(each))
        return "".join(each if self._font_of(each) else MISSING for each in kept)

    def width(self, text: str) -> float:
        """Return how wide a readable text is."""
        return sum(gap + self._fonts[name].getlength(run) for name, run, gap in self._runs(text))

    def draw(self, canvas: ImageDraw.ImageDraw, x: float, baseline: float, text: str, inks: Inks) -> None:
        """Draw a readable text; its ink, not the room around its first character, begins at `x`."""
        for number, (name, run, gap) in enumerate(self._runs(text)):
            font = self._fonts[name]
            if number == 0:
                x -= (font.getmask(run[0]).getbbox() or (0,))[0]
            x += gap
            ink = inks.missing if run[0] == MISSING else inks.emoji if name == EMOJI else inks.text
            canvas.text((x, baseline), run, fill=ink, font=font, anchor="ls")
            x += font.getlength(run)

    def _runs(self, text: str) -> Iterator[tuple[str, str, float]]:
        """Yield the parts of `text` that one font draws, each with its font and the gap before it."""
        kinds = [(self._font_of(text, at) or CHINESE, each == MISSING) for at, each in enumerate(text)]
        before = ""
        for (name, _), group in groupby(range(len(text)), key=kinds.__getitem__):
            run = "".join(text[at] for at in group)
            yield name, run, BETWEEN_SCRIPTS * self.size if before and _is_between(before, run[0]) else 0
            before = run[-1]

    def _font_of(self, text: str, at: int = 0) -> str | None:
        """Return the first font that has the character there; those that lack it give it no width."""
        is_chinese = text[at] in SHARED and any(map(is_wide, text[max(0, at - 1) : at + 2]))
        key = text[at], is_chinese
        if key not in self._chosen:
            order = (CHINESE, LATIN, EMOJI) if is_chinese else (LATIN, CHINESE, EMOJI)
            self._chosen[key] = next((name for name in order if self._fonts[name].getlength(text[at])), None)
        return self._chosen[key]


def _is_mark(character: str) -> bool:
    """Say whether a character only changes its neighbours, or how text runs."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Mc", "Me", "Mn")


def _is_between(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum() and is_wide(left) != is_wide(right)
