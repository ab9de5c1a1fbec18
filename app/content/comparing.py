"""The difference of two texts as people read it: block by block, and word by word inside a block that changed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from app.content.blocks import blocks
from app.content.merging import edits

CONTEXT = 3  # blocks shown around a change
MOST_WORDS = 20_000  # of two blocks together; longer ones are shown as removed and added

_WORD = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uac00-\ud7af]|[^\W_]+|\s+|.", re.DOTALL)

Kind = Literal["same", "added", "removed"]


@dataclass(frozen=True)
class Piece:
    """A stretch of text that both have, or one."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Hunk:
    """A change with what stands around it; `skipped` is how many lines were left out before it."""

    pieces: tuple[Piece, ...]
    skipped: int


def compare(old: str, new: str) -> list[Hunk]:
    """Return the changes from `old` to `new`, in order; nothing for equal texts."""
    before, after = blocks(old), blocks(new)
    hunks: list[Hunk] = []
    pieces: list[Piece] = []
    at = skipped = 0
    for edit in edits(before, after):
        same = before[at : edit.start]
        if pieces and len(same) > 2 * CONTEXT:
            pieces.append(Piece("same", "".join(same[:CONTEXT])))
            hunks.append(Hunk(tuple(pieces), skipped))
            pieces, same = [], same[CONTEXT:]
        if not pieces:
            skipped = sum(block.count("\n") for block in same[:-CONTEXT])
            same = same[-CONTEXT:]
        pieces += [Piece("same", "".join(same))] if same else []
        pieces += words("".join(before[edit.start : edit.end]), "".join(edit.new))
        at = edit.end
    if pieces:
        rest = before[at : at + CONTEXT]
        hunks.append(Hunk((*pieces, *([Piece("same", "".join(rest))] if rest else [])), skipped))
    return hunks


def words(old: str, new: str) -> Iterator[Piece]:
    """Yield the difference of two short texts, word by word; Chinese character by character."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if not before or not after or len(before) + len(after) > MOST_WORDS:
        yield from (Piece(kind, text) for kind, text in _both(old, new))
        return
    at = 0
    for edit in edits(before, after):
        if at < edit.start:
            yield Piece("same", "".join(before[at : edit.start]))
        yield from (
            Piece(kind, text) for kind, text in _both("".join(before[edit.start : edit.end]), "".join(edit.new))
        )
        at = edit.end
    if at < len(before):
        yield Piece("same", "".join(before[at:]))


def _both(removed: str, added: str) -> Sequence[tuple[Kind, str]]:
    pairs: tuple[tuple[Kind, str], ...] = (("removed", removed), ("added", added))
    return [pair for pair in pairs if pair[1]]
