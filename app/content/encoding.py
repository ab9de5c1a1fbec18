"""Bytes of unknown origin to text."""

import codecs
import re

from charset_normalizer import from_bytes

from app.content.document import DocumentError

SAMPLE = 200_000  # bytes that decide about the encoding

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHINESE = ("gb18030", "big5hkscs")
# A legacy encoding that is guessed wrongly gives rare characters; these are in every second sentence.
_FREQUENT = re.compile(
    "[的一是不了在人有我他这這中大来來上国國个個到说說们們为為子和你地出道也时時年得就那要下以生会會自着著去之过過家学學对對可，。、]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def decode(raw: bytes) -> tuple[str, str | None]:
    """Return the text of `raw`, without control characters, and what had to be done for it, if anything.

    Raises DocumentError when there is no text in it.
    """
    text, note = _decoded(raw)
    cleaned = _CONTROL.sub("", text)
    removed = len(text) - len(cleaned)
    if not cleaned.strip():
        raise DocumentError("is empty")
    if removed > max(20, len(text) // 20):
        raise DocumentError("is no text but binary data")
    if removed:
        note = "; ".join(filter(None, [note, f"{removed} control characters were removed"]))
    return cleaned, note


def _decoded(raw: bytes) -> tuple[str, str | None]:
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            text = raw[len(bom) :].decode(encoding, "replace")
            return text, None if encoding == "utf-8" and "\ufffd" not in text else f"was read as {encoding}"
    try:
        if raw.count(0) <= len(raw) // 4:  # UTF-16 without its mark is valid UTF-8 with many zeros
            return raw.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    encoding = _guess(raw)
    text = raw.decode(encoding, "replace")
    broken = text.count("\ufffd")
    return text, f"was read as {encoding}" + (f"; {broken} characters could not be read" if broken else "")


def _guess(raw: bytes) -> str:
    sample = raw[:SAMPLE]
    half = max(1, len(sample) // 2)
    for encoding, zeros in (("utf-16-le", sample[1::2].count(0)), ("utf-16-be", sample[::2].count(0))):
        if zeros > half * 0.4:
            return encoding
    if sample.decode("utf-8", "replace").count("\ufffd") * 3 < sum(byte >= 0xC0 for byte in sample):
        return "utf-8"  # with a few broken bytes
    encoding = max(_CHINESE, key=lambda name: _score(sample, name))
    if _score(sample, encoding) > 0.05:
        return encoding
    best = from_bytes(sample).best()
    return best.encoding if best is not None else "cp1252"


def _score(sample: bytes, encoding: str) -> float:
    """Return the share of frequent characters among those that are not ASCII."""
    text = sample.decode(encoding, "replace")
    foreign = sum(character > "\x7f" for character in text)
    return (len(_FREQUENT.findall(text)) - 2 * text.count("\ufffd")) / max(1, foreign)
