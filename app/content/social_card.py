"""What the picture shows by which other sites present a link to this one."""

import hashlib
from dataclasses import astuple, dataclass
from functools import cached_property

DESIGN = 1  # raised when the same card looks different from before


@dataclass(frozen=True)
class SocialCard:
    """The words of one picture, all of them in the language of what it is about."""

    title: tuple[str, ...]  # by paragraphs, of which that of a question is one
    topics: tuple[str, ...]
    site: str
    checked: str = ""  # when a person has last checked the facts
    sources: str = ""  # how many there are

    @cached_property
    def digest(self) -> str:
        """The name of the picture: another one as soon as anything on it changes."""
        return hashlib.sha256(repr((DESIGN, astuple(self))).encode()).hexdigest()[:32]
