"""The disk that the site's data are on: a small one of its own that can be full or read-only, where we may mount it."""

import os
import subprocess
from pathlib import Path
from typing import Self

MB = 2**20


class Disk:
    """A tmpfs at `folder`; where it cannot be mounted, a plain folder that no fault of the disk can be tried on."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.is_own = False
        self._size = size
        folder.mkdir()

    def __enter__(self) -> Self:
        self.is_own = os.geteuid() == 0 and _succeeds(
            "mount", "-t", "tmpfs", "-o", f"size={self._size},mode=755", "tmpfs", str(self.folder)
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_own:
            # Lazily: whoever still looks into it keeps it from nobody else.
            subprocess.run(["umount", "--lazy", self.folder], check=True)

    def fill(self, left: int) -> None:
        """Leave `left` bytes of space, by making the disk smaller."""
        for _ in range(100):  # more may have been written since it was measured
            state = os.statvfs(self.folder)
            used = (state.f_blocks - state.f_bfree) * state.f_frsize
            if _succeeds("mount", "-o", f"remount,size={used + left}", str(self.folder)):
                return
        raise AssertionError("the disk fills faster than it can be made smaller")

    def empty(self) -> None:
        """Give the space back."""
        self._remount(f"size={self._size}")

    def freeze(self) -> None:
        """Let nothing be written; only while nobody has a file open for writing."""
        self._remount("ro")

    def thaw(self) -> None:
        """Let everything be written again."""
        self._remount("rw")

    def cover(self) -> None:
        """Let whatever is opened from now on be read-only; what is open already can be written on."""
        for _ in range(100):  # until nobody has opened a file for writing between the two
            subprocess.run(["mount", "--bind", self.folder, self.folder], check=True)
            if _succeeds("mount", "-o", "remount,bind,ro", str(self.folder)):
                return
            self.uncover()
        raise AssertionError("somebody has a file open for writing each time")

    def uncover(self) -> None:
        """Take that back."""
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def _remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
