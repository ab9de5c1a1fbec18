"""Plain text: what stands on one line of a page, or on some."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def one_line(text: str) -> str:
    """Return `text` on one line, without signs that nobody sees, its words one space apart."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def some_lines(text: str) -> str:
    """Return `text` without control characters, of which PostgreSQL cannot keep all, and without space around it."""
    return _CONTROL.sub("", text).strip()
