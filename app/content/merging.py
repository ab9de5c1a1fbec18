"""Three-way merge of sources, block by block.

Each side is compared with the base by a longest common subsequence of blocks. Edits of different stretches of the base
are all made; edits of the same stretch, or different insertions at the same place, are a conflict. Merging is
symmetric, and nothing that one side has added or changed is ever left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.content.blocks import blocks

_KEY = re.compile(r"([A-Za-z_][\w-]*)\s*:")
MOST_COMPARED = 400_000_000  # pairs of blocks, that is 50 MB; longer texts are compared as a whole


@dataclass(frozen=True)
class Conflict:
    """A stretch that both sides have changed, as it was and as each has it."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Edit:
    """Blocks `start` to `end` of the base become `new`; where the two are equal, `new` is inserted there."""

    start: int
    end: int
    new: tuple[str, ...]


Merged = list[str | Conflict]


def merge(base: str, ours: str, theirs: str) -> Merged:
    """Return the merged text in pieces, some of which may be conflicts; without one the pieces are the text."""
    if theirs in (ours, base):
        return [ours]
    if base == ours:
        return [theirs]
    old = blocks(_ended(base))
    sides = tuple(edits(old, blocks(_ended(text))) for text in (ours, theirs))
    pieces: Merged = []
    at, end_of_head = 0, _end_of_head(old)
    for region in _regions(*sides):
        start = min(edit.start for side in region for edit in side)
        end = max(edit.end for side in region for edit in side)
        pieces.append("".join(old[at:start]))
        texts = [_applied(old, side, start, end) for side in region]
        if not region[1] or texts[0] == texts[1]:
            pieces.append(texts[0])
        elif not region[0]:
            pieces.append(texts[1])
        elif start == end and start < end_of_head and (keys := _keys_of_both(*region)) is not None:
            pieces.append(keys)
        else:
            pieces.append(Conflict("".join(old[start:end]), *texts))
        at = end
    pieces.append("".join(old[at:]))
    return _tidied(pieces)


def edits(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """Return what has to be done to `old` to get `new`, in order."""
    if len(old) * len(new) > MOST_COMPARED:
        return [Edit(0, len(old), tuple(new))]
    from rapidfuzz.distance import LCSseq  # takes 3 MB, and readers never need it

    numbers: dict[str, int] = {}
    known, wanted = ([numbers.setdefault(block, len(numbers)) for block in side] for side in (old, new))
    found: list[Edit] = []
    for step in LCSseq.opcodes(known, wanted):
        if step.tag == "equal":
            continue
        added = tuple(new[step.dest_start : step.dest_end])
        if found and found[-1].end == step.src_start:  # an insertion beside a deletion is one replacement
            found[-1] = Edit(found[-1].start, step.src_end, found[-1].new + added)
        else:
            found.append(Edit(step.src_start, step.src_end, added))
    return found


Region = tuple[list[Edit], list[Edit]]


def _regions(ours: Sequence[Edit], theirs: Sequence[Edit]) -> list[Region]:
    """Return the edits in order, those together that clash."""
    ordered = sorted(
        [(edit, 0) for edit in ours] + [(edit, 1) for edit in theirs], key=lambda e: (e[0].start, e[0].end)
    )
    regions: list[Region] = []
    end = -1  # of the last one
    for edit, side in ordered:
        if regions and _clashes(regions[-1], end, edit, side):
            regions[-1][side].append(edit)
        else:
            regions.append(([edit], []) if side == 0 else ([], [edit]))
        end = max(end, edit.end)
    return regions


def _clashes(region: Region, end: int, edit: Edit, side: int) -> bool:
    if edit.start < end:
        return True
    # Two insertions at one place: nobody knows which comes first.
    return edit.start == edit.end and any(each.start == each.end == edit.start for each in region[1 - side])


def _end_of_head(old: Sequence[str]) -> int:
    """Return how many blocks the front matter has; 0 for none."""
    fences = [place for place, block in enumerate(old) if block.rstrip() in ("---", "...")]
    return fences[1] + 1 if len(fences) > 1 and fences[0] == 0 else 0


def _keys_of_both(ours: Sequence[Edit], theirs: Sequence[Edit]) -> str | None:
    """Return the front-matter keys that both have put in at one place, by name; None when that is not all they did."""
    sides = [_keys([block for edit in side for block in edit.new]) for side in (ours, theirs)]
    if sides[0] is None or sides[1] is None or sides[0].keys() & sides[1].keys():
        return None
    return "".join(text for _, text in sorted({**sides[0], **sides[1]}.items()))


def _keys(new: Sequence[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    name = ""
    for block in new:
        key = _KEY.match(block)
        if key is None and not (name and block[:1] in " -"):
            return None
        name = key[1] if key else name
        found[name] = found.get(name, "") + block
    return found


def _applied(old: Sequence[str], side: Sequence[Edit], start: int, end: int) -> str:
    pieces: list[str] = []
    at = start
    for edit in side:
        pieces += [*old[at : edit.start], *edit.new]
        at = edit.end
    return "".join((*pieces, *old[at:end]))


def _tidied(pieces: Merged) -> Merged:
    """Join neighbouring texts and leave out empty ones."""
    tidied: Merged = []
    for piece in pieces:
        if isinstance(piece, str) and tidied and isinstance(tidied[-1], str):
            tidied[-1] += piece
        elif piece:
            tidied.append(piece)
    return tidied or [""]


def _ended(text: str) -> str:
    """Return `text` with a line end at its end, so that a last line equals the same line further up."""
    return text if not text or text.endswith("\n") else text + "\n"
