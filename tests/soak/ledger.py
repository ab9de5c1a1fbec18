"""What was acknowledged, and what nobody knows of: the server died, or said that it could not."""

import copy
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True)
class Text:
    """One revision as it was sent: a word that no other text has, and the body that holds it."""

    word: str
    body: str


@dataclass
class Question:
    """What must be there of one question, and the one thing that may be there beyond it."""

    slug: str
    revisions: list[Text] = field(default_factory=list)
    is_deleted: bool = False
    doubt: Text | str | None = None  # what may have happened: a next revision, or "deleted" or "restored"
    is_settled: bool = False  # since all of it was last proved


DraftName = tuple[int, str]  # the account, and its name for the draft
Acknowledged = tuple[dict[str, Question], dict[DraftName, list[str]], set[DraftName], set[str]]


@dataclass
class Ledger:
    """All of it."""

    questions: dict[str, Question] = field(default_factory=dict)
    drafts: dict[DraftName, list[str]] = field(default_factory=dict)  # the last body that was kept, then those in doubt
    kept_drafts: set[DraftName] = field(default_factory=set)  # that were acknowledged or seen once
    images: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    tried: dict[str, Counter[str]] = field(default_factory=dict)  # what was done during each fault that was made
    violations: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def listed(self) -> str:
        """Return all counts in a line."""
        return listed(self.counts)

    def count(self, what: str, number: int = 1) -> None:
        """Count what was done."""
        with self.lock:
            self.counts[what] += number

    def violated(self, what: str) -> None:
        """Note what must not happen."""
        with self.lock:
            self.counts["violations"] += 1
            if len(self.violations) < 50:
                self.violations.append(what)

    def remembered(self) -> Acknowledged:
        """Return what is acknowledged now, for `go_back`; nobody may write meanwhile."""
        return copy.deepcopy((self.questions, self.drafts, self.kept_drafts, self.images))

    def go_back(self, remembered: Acknowledged) -> dict[str, Question]:
        """Take as acknowledged what was so then; return the questions that were known until now."""
        since = self.questions
        self.questions, self.drafts, self.kept_drafts, self.images = remembered
        for question in self.questions.values():
            question.is_settled = False
        return since


def listed(counts: Counter[str]) -> str:
    """Return in a line what was done, but for what was lost: that is told apart."""
    return ", ".join(f"{what} {number}" for what, number in sorted(counts.items()) if what != "lost") or "nothing done"
