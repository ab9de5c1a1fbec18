"""The site's own images: their names say how large they are, so that nothing jumps while they load."""

import re

IMAGE_NAME = re.compile(r"[0-9a-f]{32}-(\d{1,5})x(\d{1,5})\.(?:png|jpg|gif|webp)")
_OWN = re.compile(rf"/images/{IMAGE_NAME.pattern}")


def size_of(src: str) -> tuple[str, str] | None:
    """Return width and height of one of the site's images, in pixels; None for any other address."""
    found = _OWN.fullmatch(src)
    return (found[1], found[2]) if found else None
