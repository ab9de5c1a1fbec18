"""Bounds for the work of Python-Markdown's inline patterns, which some texts would keep busy for seconds."""

import re
from itertools import pairwise
from xml.etree.ElementTree import Element

from markdown.blockprocessors import ReferenceProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

MAX_MARKS = 1_200  # in one text; the library's patterns need quadratic time for marks without a partner
MAX_REPEATED = 2_000_000  # characters of addresses and titles in one document that are defined once and used often
MAX_SCANNED = 2_000_000  # in one document: unclosed brackets, each times the characters of its text


class Bounds(Treeprocessor):
    """Shields the inline patterns from text that has nothing for them, and from text that would take them seconds."""

    MARKS = re.compile(r"[\\`*_\[\]<&~@\x02]|://|www\.|  \n")
    BRACKETS = re.compile(r"\\.|(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)|\]\(|[\[\])]", re.DOTALL)

    def run(self, root: Element) -> None:
        """Take out of the patterns' way what is not for them."""
        self._budget = MAX_SCANNED
        self._forget_long_references(sum(text.count("[") for text in root.itertext()))
        for element in root.iter():
            if element.text and self._is_out_of_bounds(element.text):
                element.text = AtomicString(element.text)
            if element.tail and self._is_out_of_bounds(element.tail):
                element.tail = AtomicString(element.tail)

    def _forget_long_references(self, uses: int) -> None:
        references = self.md.references
        for name, (address, title) in list(references.items()):
            if (len(address) + len(title or "")) * uses > MAX_REPEATED:
                del references[name]

    def _is_out_of_bounds(self, text: str) -> bool:
        marks = len(self.MARKS.findall(text))
        if not marks or marks > MAX_MARKS:
            return True
        if "[" not in text:
            return False
        brackets = targets = 0
        for found in self.BRACKETS.finditer(text):
            brackets = max(0, brackets + (found[0] == "[") - (found[0][0] == "]"))
            targets = max(0, targets + (found[0] == "](") - (found[0] == ")"))
        unclosed = brackets + 8 * targets
        self._budget -= unclosed * len(text)
        return self._budget < 0 < unclosed


def apart(text: str) -> list[str]:
    """Return the pieces of a paragraph, one for each definition of a link in it.

    The library would come to the same pieces, but begins anew with the whole rest after each of them.
    """
    starts = [found.start() for found in ReferenceProcessor.RE.finditer(text)] if "]:" in text else []
    pieces = (text[start:end].strip("\n") for start, end in pairwise([0, *starts, len(text)]))
    return [piece for piece in pieces if piece]
