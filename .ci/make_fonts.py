"""Makes the fonts in app/fonts: `python .ci/make_fonts.py NotoSansCJK-Bold.ttc Inter_700Bold.ttf NotoEmoji.ttf`.

The README.md there says where the three come from. Needs fonttools, and a Pillow that has Raqm.
"""

import sys
from collections.abc import Iterable
from itertools import product
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0
from PIL import ImageFont

HERE = Path(__file__).parent.parent / "app" / "fonts"
SIMPLIFIED = 2  # the place of Noto Sans CJK SC in the collection
LEAST = 12  # of 2048: less is not seen, and the table has room for 10,920 pairs
TRACKING = 0.014  # of the size; letters in large titles stand this much closer, as on the site

LATIN = [range(0x20, 0x250), range(0x370, 0x460), range(0x490, 0x530), range(0x1E00, 0x1F00), range(0x2010, 0x2070),
         range(0x20A0, 0x20C0), range(0x2100, 0x2150), range(0x2190, 0x2200), range(0x2212, 0x2266),
         range(0x2713, 0x2719)]  # fmt: skip
SIGNS = [range(0x2010, 0x2070), range(0x2100, 0x2600), range(0x3000, 0x3130), range(0xFE30, 0xFE50),
         range(0xFF01, 0xFFE7)]  # fmt: skip
EMOJI = [range(0x2300, 0x2400), range(0x2600, 0x2800), range(0x2B00, 0x2C00), range(0x1F000, 0x1FB00)]
ROW, BIG5_CELLS = range(0xA1, 0xFF), [*range(0x40, 0x7F), *range(0xA1, 0xFF)]


def main(noto: str, inter: str, emoji: str) -> None:
    """Write the three fonts."""
    chinese = TTCollection(noto).fonts[SIMPLIFIED]
    _cut(chinese, {*_han(), *_codes(SIGNS)})
    chinese.save(HERE / "noto-sans-sc-bold.otf")
    latin = TTFont(inter)
    _cut(latin, _codes(LATIN))
    _kern(latin, inter)
    _draw_together(latin)
    latin.save(HERE / "inter-bold.ttf")
    pictures = TTFont(emoji)
    _cut(pictures, _codes(EMOJI))
    pictures.save(HERE / "noto-emoji-bold.ttf")


def _han() -> set[int]:
    """Return the characters of GB 2312, the first level of Big5, and JIS X 0208."""
    return {
        *_decoded("gb2312", range(0xB0, 0xF8), ROW),
        *_decoded("big5", range(0xA4, 0xC7), BIG5_CELLS),
        *_decoded("euc_jp", range(0xB0, 0xF5), ROW),
    }


def _decoded(encoding: str, rows: Iterable[int], cells: Iterable[int]) -> set[int]:
    texts = (bytes(pair).decode(encoding, "ignore") for pair in product(rows, cells))
    return {ord(text) for text in texts if len(text) == 1 and text >= "\u2e80"}


def _codes(ranges: Iterable[range]) -> set[int]:
    return {code for each in ranges for code in each}


def _cut(font: TTFont, codes: set[int]) -> None:
    """Leave only these characters, and no width to what is missing: that is how the site tells it."""
    options = Options(layout_features=[], hinting=False, notdef_outline=False, name_IDs=[0, 1, 2, 5, 13, 14])
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "STAT", "VORG", "vhea", "vmtx"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font["hmtx"][".notdef"] = (0, 0)
    font.recalcTimestamp = False  # the same input gives the same bytes


def _kern(font: TTFont, file: str) -> None:
    """Write the kerning of Latin letters where the simple layout, which works on every machine, reads it."""
    shaped = ImageFont.truetype(file, font["head"].unitsPerEm, layout_engine=ImageFont.Layout.RAQM)
    names = {chr(code): name for code, name in font.getBestCmap().items() if 0x20 <= code < 0x100}
    width = {text: shaped.getlength(text) for text in names}
    pairs = {
        (names[left], names[right]): round(both)
        for left, right in product(names, repeat=2)
        if abs(both := shaped.getlength(left + right, features=["-calt", "-liga"]) - width[left] - width[right]) > LEAST
    }
    table = KernTable_format_0()
    table.coverage, table.kernTable = 1, pairs
    font["kern"] = newTable("kern")
    font["kern"].version, font["kern"].kernTables = 0, [table]


def _draw_together(font: TTFont) -> None:
    closer = round(TRACKING * font["head"].unitsPerEm)
    for name, (width, bearing) in font["hmtx"].metrics.items():
        font["hmtx"][name] = (max(0, width - closer), bearing)


if __name__ == "__main__":
    main(*sys.argv[1:])
