"""What the picture shows by which other sites present a link to this one."""

import hashlib
import re
import unicodedata
from dataclasses import astuple, dataclass
from functools import cached_property

DESIGN = 1  # raised when the same card looks different from before

# Letters outside these blocks (Latin, Greek, Cyrillic, signs, Chinese and Japanese) are in no font of the site.
_DRAWN = re.compile(
    "[\u0000-\u052f\u1d00-\u1fff\u2000-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\uffa0\U00010000-\U0010ffff]"
)


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


def is_readable(title: str) -> bool:
    """Say whether the fonts of the site have the script that a title is in; single rare signs do not count."""
    return not any(unicodedata.category(each).startswith("L") for each in _DRAWN.sub("", title))
