"""The sizes and checksums of the index's files as they were written, to notice when they are not any more.

Whoosh writes a file of a segment once and never changes it. What was written after the manifest, because the writer was
killed between the two, is not in it and is taken as it is.
"""

import json
import zlib
from collections.abc import Collection
from pathlib import Path

from app.search.vocabulary import FILE as VOCABULARY

FILE = "files.json"
CHUNK = 2**20

Known = dict[str, tuple[int, int]]  # size in bytes and CRC-32, by name


def write(path: Path) -> None:
    """Write down the files of the index in `path`; those that are known already are not read again."""
    known = _read(path)
    files = [file for file in path.iterdir() if _is_of_segment(file.name)]
    found = {file.name: known.get(file.name) or (file.stat().st_size, _checksum(file)) for file in files}
    if (path / VOCABULARY).exists():
        found[VOCABULARY] = ((path / VOCABULARY).stat().st_size, 0)
    partial = path / f"{FILE}.new"
    partial.write_text(json.dumps(found), encoding="utf-8")
    partial.replace(path / FILE)


def is_kept(path: Path, segments: Collection[str], *, thorough: bool) -> bool:
    """Say whether the files of these segments are as they were written; the file of words may have grown."""
    if not (path / FILE).exists():
        return False
    known = _read(path)
    try:
        return all(
            _is_whole(path / name, size, checksum if thorough else None)
            for name, (size, checksum) in known.items()
            if name == VOCABULARY or any(segment in name for segment in segments)
        )
    except FileNotFoundError:
        return False


def _is_whole(file: Path, size: int, checksum: int | None) -> bool:
    if file.name == VOCABULARY:
        return file.stat().st_size >= size
    return file.stat().st_size == size and (checksum is None or _checksum(file) == checksum)


def _read(path: Path) -> Known:
    try:
        values: dict[str, list[int]] = json.loads((path / FILE).read_text(encoding="utf-8"))
        return {name: (size, checksum) for name, (size, checksum) in values.items()}
    except (OSError, ValueError):
        return {}


def _is_of_segment(name: str) -> bool:
    return name.startswith("MAIN_") and not name.endswith((".toc", ".lock", "LOCK"))


def _checksum(file: Path) -> int:
    value = 0
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            value = zlib.crc32(chunk, value)
    return value
