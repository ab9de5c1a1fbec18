"""Bytes of unknown origin to text."""

import codecs
import re

from app.content.document import DocumentError

SAMPLE = 200_000  # bytes that decide about the encoding

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHINESE = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5hkscs": ("big5", 0xA4, 0xC6)}  # and where common words lie in them
_EXPECTED = {  # by language, the more frequent first
    "zh": ("gb18030", "big5hkscs"),
    "zh-Hant": ("big5hkscs", "gb18030"),
    "ja": ("cp932", "euc_jp"),
    "ko": ("cp949",),
    "ru": ("cp1251", "koi8_r"),
}
ENOUGH = 30  # characters beyond ASCII from which on their frequencies say more than their ranks
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôöøùúûüÿßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖØÙÚÛÜŒ\xa0«»“”\u2018’„–—…•·°§©®€£¡¿ªº×")
# A legacy encoding that is guessed wrongly gives rare characters; these are in every second sentence.
_FREQUENT = re.compile(
    "[的一是不了在人有我他这這中大来來上国國个個到说說们們为為子和你地出道也时時年得就那要下以生会會自着著去之过過家学學对對可，。、]"
)
_ALONE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def decode(raw: bytes, lang: str | None = None) -> tuple[str, str | None]:
    """Return the text of `raw`, without control characters, and what had to be done for it, if anything.

    `lang` is the language that it is expected in. Raises DocumentError when there is no text in it.
    """
    text, note = _decoded(raw, lang)
    cleaned = _CONTROL.sub("", text)
    removed = len(text) - len(cleaned)
    if not cleaned.strip():
        raise DocumentError("is empty")
    if removed > max(20, len(text) // 20):
        raise DocumentError("is no text but binary data")
    if removed:
        note = "; ".join(filter(None, [note, f"{removed} control characters were removed"]))
    return cleaned, note


def _decoded(raw: bytes, lang: str | None) -> tuple[str, str | None]:
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            text = raw[len(bom) :].decode(encoding, "replace")
            return text, None if encoding == "utf-8" and "\ufffd" not in text else f"was read as {encoding}"
    try:
        if raw.count(0) <= len(raw) // 4:  # UTF-16 without its mark is valid UTF-8 with many zeros
            return raw.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    encoding = _guess(raw, lang)
    text = raw.decode(encoding, "replace")
    broken = text.count("\ufffd")
    return text, f"was read as {encoding}" + (f"; {broken} characters could not be read" if broken else "")


def _guess(raw: bytes, lang: str | None) -> str:
    sample = raw[:SAMPLE]
    half = max(1, len(sample) // 2)
    for encoding, zeros in (("utf-16-le", sample[1::2].count(0)), ("utf-16-be", sample[::2].count(0))):
        if zeros > half * 0.4:
            return encoding
    if sample.decode("utf-8", "replace").count("\ufffd") * 3 < sum(byte >= 0xC0 for byte in sample):
        return "utf-8"  # with a few broken bytes
    expected = _EXPECTED.get(lang or "", ())
    if lang in {"zh", "zh-Hant"}:
        expected = tuple(sorted(expected, key=lambda name: -_common_share(sample, name)))
    likely = (*expected, *sorted(_CHINESE, key=lambda name: -_score(sample, name)))
    for encoding in () if _has_accents(sample) else likely:
        if encoding in _CHINESE and _score(sample, encoding) > 0:
            return encoding
        if encoding in expected and _is_text(sample, encoding):
            return encoding
    if _is_western(sample):
        return "cp1252"
    from charset_normalizer import from_bytes  # takes 3 MB, and few files come to this

    best = from_bytes(sample).best()
    return best.encoding if best is not None else "cp1252"


def _is_text(sample: bytes, encoding: str) -> bool:
    """Say whether the bytes can be text of a language that is written in this encoding."""
    if encoding in _CHINESE and _common_share(sample, encoding) > 0.5:
        return True
    try:
        text = sample[:-1].decode(encoding) if len(sample) == SAMPLE else sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    foreign = [character for character in text if character > "\x7f"]
    # Two or three letters with accents can look like rare Chinese characters.
    is_enough = len(foreign) > 3 or encoding not in _CHINESE
    return is_enough and sum(character.isalpha() for character in foreign) > len(foreign) / 2


def _score(sample: bytes, encoding: str) -> float:
    """Return more than 0 when the text makes sense in this encoding of Chinese, and more the better it does."""
    text = sample.decode(encoding, "replace")
    foreign = sum(character > "\x7f" for character in text)
    frequent = (len(_FREQUENT.findall(text)) - 2 * text.count("\ufffd")) / max(1, foreign)
    if foreign >= ENOUGH:
        return frequent - 0.05
    return max(_common_share(sample, encoding) - 0.6, frequent - 0.15 if foreign > 5 else -1)


def _common_share(sample: bytes, encoding: str) -> float:
    """Return the share of common Chinese characters among those beyond ASCII; broken ones count against it."""
    foreign = [character for character in sample.decode(encoding, "replace") if character > "\x7f"]
    common = sum(_is_common(character, encoding) for character in foreign)
    return (common - 2 * foreign.count("\ufffd")) / max(1, len(foreign))


def _is_common(character: str, encoding: str) -> bool:
    """Say whether an encoding's standard counts a character among the common ones, or it is punctuation."""
    standard, first, last = _CHINESE[encoding]
    try:
        lead = character.encode(standard)[0]
    except UnicodeEncodeError:
        return False
    return first <= lead <= last or 0xA1 <= lead <= 0xA3


def _is_western(sample: bytes) -> bool:
    """Say whether the characters beyond ASCII may be those of Western Europe; a few of them always may."""
    foreign = [character for character in sample.decode("cp1252", "replace") if character > "\x7f"]
    western = sum(character in _WESTERN for character in foreign)
    return len(foreign) < ENOUGH or (western >= 0.9 * len(foreign) and _has_accents(sample))


def _has_accents(sample: bytes) -> bool:
    """Say whether most bytes beyond ASCII stand alone, as accented letters do and other scripts do not."""
    return len(_ALONE.findall(sample)) > 0.7 * sum(byte > 0x7F for byte in sample)
