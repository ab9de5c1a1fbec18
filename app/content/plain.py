"""Plain text: what stands on one line of a page."""


def one_line(text: str) -> str:
    """Return `text` on one line, without signs that nobody sees, its words one space apart."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
