"""The words of the library as they are written, for completing and correcting what a person types.

The index knows stems; a correction or completion must be a word. So whoever writes the index appends every new word to
a file beside it, and each process reads what was added since it last looked. Words are never taken out: a word whose
articles are gone stands in no posting list and is passed over by whoever looks it up.
"""

import re
import string
from bisect import bisect_left, insort
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from app.search.folding import fold
from app.search.schema import Entry

FILE = "words.txt"
SHORTEST = 2  # letters of a word that is kept
LONGEST = 32
SHORTEST_CORRECTED = 4
COMPLETIONS_SEEN = 400  # words that begin alike and are weighed

_WORD = re.compile(rf"[a-z][a-z0-9]{{{SHORTEST - 1},{LONGEST - 1}}}(?![a-z0-9])")
_LETTERS = string.ascii_lowercase
_IN_TITLE = "+"


def words_of(text: str) -> set[str]:
    """Return the Latin words of a text, folded."""
    return set(_WORD.findall(fold(text)))


class Vocabulary:
    """One process's view of the file; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._read = 0  # bytes
        self._words: set[str] = set()
        self._in_titles: list[str] = []  # ascending

    def refresh(self) -> None:
        """Read what was added since the last time; a file that is missing adds nothing."""
        with self._lock:
            try:
                with self._path.open("rb") as file:
                    file.seek(self._read)
                    added = file.read()
            except FileNotFoundError:
                return
            # The last line may not have been written to its end yet.
            complete = added[: added.rfind(b"\n") + 1]
            self._read += len(complete)
            self._take(complete.decode("ascii", "ignore").split())

    def add(self, entry: Entry) -> None:
        """Append the words of an article that are new; hold the index's write lock, and refresh first."""
        in_titles = words_of("\n".join((entry.title, *entry.headings, *entry.tags)))
        words = (words_of(entry.text) | in_titles) - self._words
        with self._lock:
            new = [*words, *(_IN_TITLE + word for word in in_titles if not self._is_in_titles(word))]
            if new:
                with self._path.open("a", encoding="ascii") as file:
                    # The line break comes first: what a killed writer left unfinished stays a line of its own.
                    file.write("".join(f"\n{word}" for word in sorted(new)) + "\n")
        self.refresh()

    def __contains__(self, word: str) -> bool:
        """Say whether some article has `word`, written just so."""
        return word in self._words

    def is_in_titles(self, word: str) -> bool:
        """Say whether some title, heading or tag has `word`."""
        with self._lock:
            return self._is_in_titles(word)

    def corrections(self, word: str) -> list[str]:
        """Return the known words at one typing mistake's distance: a letter too much, missing, wrong, or swapped."""
        return sorted(self._words.intersection(one_edit_away(word)))

    def completions(self, beginning: str) -> list[str]:
        """Return words of titles, headings and tags that begin so, `beginning` itself left out."""
        with self._lock:
            start = bisect_left(self._in_titles, beginning)
            near = self._in_titles[start : start + COMPLETIONS_SEEN]
        return [word for word in near if word.startswith(beginning) and word != beginning]

    def _is_in_titles(self, word: str) -> bool:
        at = bisect_left(self._in_titles, word)
        return self._in_titles[at : at + 1] == [word]

    def _take(self, lines: list[str]) -> None:
        titles = [line[1:] for line in lines if line.startswith(_IN_TITLE)]
        self._words.update(line for line in lines if not line.startswith(_IN_TITLE))
        if len(titles) > len(self._in_titles) // 8:
            self._in_titles = sorted({*self._in_titles, *titles})
        else:
            for word in titles:
                insort(self._in_titles, word)


def one_edit_away(word: str) -> Iterator[str]:
    """Yield what may have been meant, and much else; nothing for what is too short or not made of letters."""
    if not SHORTEST_CORRECTED <= len(word) <= LONGEST or not word.isascii() or not word.isalpha():
        return
    for at in range(len(word) + 1):
        left, right, rest = word[:at], word[at:], word[at + 1 :]
        yield from [f"{left}{letter}{right}" for letter in _LETTERS]
        if right:
            yield left + rest
            yield from [f"{left}{letter}{rest}" for letter in _LETTERS]
        if rest:
            yield left + rest[0] + right[0] + rest[1:]
