"""Where images are: in a folder, or in a bucket that speaks the API of S3, which several hosts share.

The bytes of a name never change, so nothing has to be kept up to date.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from app.config import Settings
from app.errors import ImagesUnavailable
from app.services import files

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Store

log = logging.getLogger(__name__)

CONNECT_S = 2
SILENCE_S = 5  # of a bucket that is asked for something; while it is given an image, it says nothing
PATIENCE_S = 10  # for a request in all, also where a large image comes or goes slowly
RETRIES = 2
RETRY_FOR_S = 30  # so long after the first attempt another one is begun: a backup does not fail for a hiccup
RETRY_FOR_READERS_S = 1  # what fails at once may go well the next time; nobody waits twice for silence
PAUSE_S = 5  # in which a bucket that has failed is left alone


class ImageStore(Protocol):
    """Images by name; all methods raise OSError or ImagesUnavailable where the store cannot be used."""

    def sizes(self) -> dict[str, int]:
        """Return how many bytes each image has, by name."""

    def read(self, name: str) -> bytes | None:
        """Return the bytes of an image, None when there is none of this name."""

    def write(self, name: str, content: bytes) -> None:
        """Keep an image; it survives a power failure from now on."""

    def is_damaged(self, name: str) -> bool:
        """Say whether an image that is there has other bytes than its name tells of; False where it is not at hand."""

    def file(self, name: str, scratch: Path) -> Path | None:
        """Return a file with the image, in the folder `scratch` where there is none yet; None when it is missing."""


def image_store(settings: Settings, *, retry_for_s: float = RETRY_FOR_S) -> ImageStore:
    """Return the store that the settings name; what fails in a bucket is tried again for this long."""
    if settings.images and "://" in settings.images:
        return BucketStore(settings.images, retry_for_s)
    return FolderStore(settings.images_dir)


def has_digest(name: str, sha256: str) -> bool:
    """Say whether the bytes with this digest may have this name: it begins with half of it."""
    return sha256.startswith(name.partition("-")[0])


class FolderStore:
    """Images in a folder, in folders by the beginning of their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sizes(self) -> dict[str, int]:
        """Return the sizes, see ImageStore."""
        found: dict[str, int] = {}
        for file in self._folder.glob("??/*"):
            with suppress(FileNotFoundError):  # it was being written, under another name
                found[file.name] = file.stat().st_size
        return found

    def read(self, name: str) -> bytes | None:
        """Return the bytes, see ImageStore."""
        try:
            return self._place(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Keep an image, see ImageStore."""
        files.write(self._place(name), content)

    def is_damaged(self, name: str) -> bool:
        """Read it, see ImageStore."""
        with self._place(name).open("rb") as file:
            return not has_digest(name, hashlib.file_digest(file, "sha256").hexdigest())

    def file(self, name: str, scratch: Path) -> Path | None:  # noqa: ARG002  it is a file already
        """Return the file, see ImageStore."""
        place = self._place(name)
        return place if place.is_file() else None

    def _place(self, name: str) -> Path:
        return self._folder / name[:2] / name


class BucketStore:
    """Images in a bucket; credentials, region and endpoint are in the environment, by the names that AWS gives them."""

    def __init__(self, url: str, retry_for_s: float) -> None:
        self._url = url
        self._retry_for_s = retry_for_s
        self._breaker = Breaker()
        self._breaker_of_writing = Breaker()  # an image that goes too slowly keeps no other from being sent

    def sizes(self) -> dict[str, int]:
        """Return the sizes, see ImageStore."""
        import obstore

        with self._breaker.asking():
            return {str(each["path"]): each["size"] for chunk in obstore.list(self._bucket) for each in chunk}

    def read(self, name: str) -> bytes | None:
        """Return the bytes, see ImageStore."""
        import obstore

        with self._breaker.asking():
            try:
                return obstore.get(self._bucket, name).bytes().to_bytes()
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Keep an image, see ImageStore."""
        import obstore

        with self._breaker_of_writing.asking():
            obstore.put(self._bucket_for_writing, name, content)

    def is_damaged(self, name: str) -> bool:  # noqa: ARG002  nobody looks
        """Fetch nothing, see ImageStore: all images would have to come over the network, and be paid for."""
        return False

    def file(self, name: str, scratch: Path) -> Path | None:
        """Return a file, see ImageStore."""
        content = self.read(name)
        if content is None:
            return None
        files.write(scratch / name, content)
        return scratch / name

    @cached_property
    def _bucket(self) -> "S3Store":  # made by the worker that needs it: its threads do not outlive a fork
        return self._opened({"read_timeout": f"{SILENCE_S}s"})

    @cached_property
    def _bucket_for_writing(self) -> "S3Store":
        return self._opened({})

    def _opened(self, options: "ClientConfig") -> "S3Store":
        from obstore.store import S3Store

        parts = urlsplit(self._url)
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options=options
            | {
                "connect_timeout": f"{CONNECT_S}s",
                "timeout": f"{PATIENCE_S}s",
                # Options that are given here take the place of those that the environment names.
                "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=self._retry_for_s)},
        )


class Breaker:
    """Lets nobody wait for a bucket that has just failed, but for one now and then, who sees whether it is back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failed_at: float | None = None  # or when one was let through after that; None while all is well

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask the bucket something; raise ImagesUnavailable when it fails, or has failed and it is not time yet."""
        from obstore.exceptions import BaseError, GenericError

        self._enter()
        try:
            yield
        except BaseError as error:
            # What else there is are answers, and may be about one image alone: those of others are sent all the same.
            self._failed_at = time.monotonic() if isinstance(error, GenericError) else None
            log.warning("images cannot be reached: %s", " ".join(str(error).split())[:300])
            raise ImagesUnavailable from error
        self._failed_at = None

    def _enter(self) -> None:
        with self._lock:
            failed_at, moment = self._failed_at, time.monotonic()  # others may come to an end meanwhile
            if failed_at is None:
                return
            if moment < failed_at + PAUSE_S:
                raise ImagesUnavailable
            self._failed_at = moment  # the others are told at once, while this one waits
