"""Which section of an article a place in its text belongs to."""

from collections.abc import Sequence


def section_at(text: str, headings: Sequence[str], position: int) -> int | None:
    """Return the place among `headings` of the last one before `position`; None in the introduction.

    `headings` are those of `text`, in order; each stands there on a line of its own.
    """
    found, start = None, 0
    for place, heading in enumerate(headings):
        at = 0 if start == 0 and text.startswith(f"{heading}\n") else text.find(f"\n{heading}\n", max(0, start - 1))
        if at < 0:
            continue  # written otherwise in the text: its section counts as part of the one before
        if at > position:
            break
        found, start = place, at + len(heading) + 1
    return found
