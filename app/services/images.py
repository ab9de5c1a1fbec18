"""Images: checked by what they are, freed of what cameras write into them, stored under the digest of their bytes."""

import hashlib
import logging
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from app.content.pictures import IMAGE_NAME
from app.errors import InvalidInput, NotFound
from app.models import Account, Image
from app.models.columns import now
from app.services.image_store import ImageStore
from app.storage import audit
from app.storage.database import Database

if TYPE_CHECKING:
    from PIL import Image as Pillow

log = logging.getLogger(__name__)

MAX_PIXELS = 40_000_000  # a photograph has 12 to 24 million; more takes the memory of the worker
MAX_SIDE = 30_000
MAX_FRAMES = 200
JPEG_QUALITY = 90
FORMATS = {"PNG": ("png", "image/png"), "JPEG": ("jpg", "image/jpeg"), "GIF": ("gif", "image/gif"),
           "WEBP": ("webp", "image/webp"), "MPO": ("jpg", "image/jpeg")}  # fmt: skip
MEDIA_TYPES = dict(FORMATS.values())


@dataclass(frozen=True)
class StoredImage:
    """An image, and the address that it has from now on."""

    name: str

    @property
    def url(self) -> str:
        """The path of the image."""
        return f"/images/{self.name}"


def add(database: Database, store: ImageStore, account: Account, content: bytes, most_mb: int) -> StoredImage:
    """Store an image and return it; raise InvalidInput for what is none, or has more than this many megabytes."""
    if not content:
        raise InvalidInput("Choose an image first.")
    if len(content) > most_mb * 2**20:
        raise InvalidInput("This image is larger than %(most)s MB. Make it smaller, then try again.", most=most_mb)
    bare, ending, (width, height) = _without_metadata(content)
    name = f"{hashlib.sha256(bare).hexdigest()[:32]}-{width}x{height}.{ending}"
    store.write(name, bare)
    with database.write() as session:
        if session.get(Image, name) is None:
            session.add(
                Image(
                    name=name,
                    media_type=MEDIA_TYPES[ending],
                    bytes=len(bare),
                    account_id=account.id,
                    created_at=now(),
                )
            )
            audit.record(session, account, "image", name)
    return StoredImage(name)


def read(store: ImageStore, name: str) -> tuple[bytes, str]:
    """Return the bytes and the media type of an image; raise NotFound when there is none of this name."""
    if IMAGE_NAME.fullmatch(name) is None:
        raise NotFound("There is no such image.")
    content = store.read(name)
    if content is None:
        raise NotFound("There is no such image.")
    return content, MEDIA_TYPES[name.rpartition(".")[2]]


def _without_metadata(content: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """Return an image written anew, its file's ending and its size: upright, and without places and cameras."""
    from PIL import Image as Pillow  # takes 15 MB that a worker that takes no image does not need
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)  # its size is checked below
            with Pillow.open(BytesIO(content), formats=list(FORMATS)) as image:
                frames = getattr(image, "n_frames", 1)
                _refuse_huge(image.width, image.height, frames)
                ending, _ = FORMATS[image.format or ""]
                options: dict[str, object] = {"icc_profile": image.info.get("icc_profile")}
                upright: Pillow.Image = image
                kind = "JPEG" if image.format == "MPO" else image.format  # a camera's preview comes after the picture
                if frames > 1 and kind != "JPEG":
                    options |= {"save_all": True, "duration": _durations(image)}
                    options |= {"loop": image.info["loop"]} if "loop" in image.info else {}  # else it plays once
                else:
                    upright = ImageOps.exif_transpose(image)
                    upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
                if kind == "JPEG":
                    options |= {"quality": JPEG_QUALITY, "optimize": True, "progressive": True}
                written = BytesIO()
                upright.save(written, kind, exif=b"", **options)
                return written.getvalue(), ending, upright.size
    except Pillow.DecompressionBombError as error:
        raise _too_large() from error
    except InvalidInput:
        raise
    except Exception as error:  # damaged images make the decoders raise nearly anything
        log.info("no image: %r", error)
        raise InvalidInput("This file is not an image that can be shown. Use PNG, JPEG, GIF or WebP.") from error


def _durations(image: "Pillow.Image") -> list[int]:
    """Return how long each frame of an animation stays, in milliseconds."""
    durations = []
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        image.load()  # WebP tells it only then
        durations.append(int(image.info.get("duration", 100)))
    image.seek(0)
    return durations


def _refuse_huge(width: int, height: int, frames: int) -> None:
    if width * height * frames > MAX_PIXELS or max(width, height) > MAX_SIDE or frames > MAX_FRAMES:
        raise _too_large()


def _too_large() -> InvalidInput:
    return InvalidInput(
        "This image is too large: it may have %(most)s million pixels in all its frames together, %(side)s on a side "
        "and %(frames)s frames.",
        most=MAX_PIXELS // 1_000_000,
        side=MAX_SIDE,
        frames=MAX_FRAMES,
    )
