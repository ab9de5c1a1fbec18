"""Pictures of links: drawn once for all workers, and kept on the disk under the name of what they show."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.content.social_card import SocialCard
from app.services import files
from app.workers.processes import trim_heaps

log = logging.getLogger(__name__)

MOST_KEPT = 4000  # about 120 MB


def kept(folder: Path, card: SocialCard) -> bytes | None:
    """Return the picture that was drawn of this card before, else None."""
    try:
        return _file(folder, card).read_bytes()
    except OSError:  # not there, or not to be read: it can be drawn
        return None


def drawn(folder: Path, card: SocialCard) -> bytes:
    """Return the picture of a card, after those that are being drawn at the moment; it is kept from now on."""
    from app.services.social_drawing import draw  # takes 4 MB that a worker that draws nothing does not need

    try:
        with _turn(folder):
            content = kept(folder, card)
            if content is None:
                content = draw(card)
                trim_heaps()  # the canvas took 12 MB
                files.write(_file(folder, card), content)
                _forget_oldest(folder)
            return content
    except OSError as error:
        log.warning("the picture of a link could not be kept: %s", error)
        return draw(card)


def _file(folder: Path, card: SocialCard) -> Path:
    return folder / f"{card.digest}.png"


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until no other worker draws."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget_oldest(folder: Path) -> None:
    """Delete a tenth of the pictures when there are too many."""
    pictures = [path for path in folder.iterdir() if path.suffix == ".png"]
    if len(pictures) > MOST_KEPT:
        pictures.sort(key=lambda path: path.stat().st_mtime)
        for path in pictures[: MOST_KEPT // 10]:
            path.unlink(missing_ok=True)
