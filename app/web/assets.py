"""Static files: one address per state of the folder, so that browsers may keep them for ever."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

import brotli

from app.web.parameters import weights

STYLESHEET = "site.css"
LAYERS = (
    "reset",
    "tokens",
    "base",
    "layout",
    "components",
    "forms",
    "article",
    "writing",
    "review",
    "live",
    "syntax",
    "utilities",
    "print",
)

BROTLI_QUALITY = 8  # of 11: the next takes ten times as long at every start, for 0.3 % less, the last fifty, for 8 %

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


@dataclass(frozen=True)
class Asset:
    """The bytes of a static file, the same compressed, and their media type."""

    content: bytes
    compressed: dict[str, bytes]  # by content coding, the best first; none where that does not make it smaller
    media_type: str

    def best_for(self, accept_encoding: str) -> tuple[str | None, bytes]:
        """Return the content coding to send to a client with this Accept-Encoding, None for none, and the bytes."""
        said = weights(accept_encoding)
        accepted = (coding for coding in self.compressed if said.get(coding, said.get("*", 0.0)) > 0)
        coding = next(accepted, None)
        return coding, self.compressed[coding] if coding else self.content


class Assets:
    """All static files, in memory; the style sheets joined into one, in the order of the cascade layers."""

    def __init__(self, folder: Path) -> None:
        self._files = {name: Asset(content, _compressed(content), _media_type(name)) for name, content in _read(folder)}
        digest = hashlib.sha256()
        for name, asset in sorted(self._files.items()):
            digest.update(f"{name}\0{len(asset.content)}\0".encode())
            digest.update(asset.content)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Return the address of a file; raise KeyError for one that does not exist."""
        if name not in self._files:
            raise KeyError(f"there is no static file {name}")
        return f"/static/{self.version}/{name}"

    def get(self, name: str) -> Asset | None:
        """Return a file, else None."""
        return self._files.get(name)


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("css/"):
            yield name, path.read_bytes()
    yield STYLESHEET, b"\n".join((folder / "css" / f"{layer}.css").read_bytes() for layer in LAYERS)


def _compressed(content: bytes) -> dict[str, bytes]:
    packed = {"br": brotli.compress(content, quality=BROTLI_QUALITY), "gzip": gzip.compress(content, mtime=0)}
    return {coding: made for coding, made in packed.items() if len(made) < len(content)}


def _media_type(name: str) -> str:
    media_type = _TYPES.get(Path(name).suffix) or guess_type(name)[0] or "application/octet-stream"
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
