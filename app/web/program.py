"""What tells this program from one that may make other pages of the same content."""

import hashlib
import secrets
import sys
from functools import cache
from pathlib import Path

from app.config import STATIC_DIR, TEMPLATES_DIR

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@cache
def program() -> str:
    """Return a digest of all files of the program and the names of what is installed, as they are at the first call.

    What is put on the disk later does not change what runs. A start of the machine makes it another one: what was
    written shortly before may have reached the disk in part.
    """
    try:
        boot = _BOOT.read_text()
    except OSError:
        boot = secrets.token_hex(16)
    digest = hashlib.blake2b(f"{boot}\0{sys.version}".encode(), digest_size=16)
    for place in sorted(filter(None, sys.path)):
        digest.update(repr(sorted(found.name for found in Path(place).glob("*.dist-info"))).encode())
    for folder in (Path(__file__).parent.parent, TEMPLATES_DIR, STATIC_DIR):
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                state = file.stat()
                digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()
