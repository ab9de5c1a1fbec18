"""The file of a backup: a compressed tar that begins with a list of what is in it, with sizes and digests.

Every file that cannot be trusted to the last byte is refused: one that is cut off, changed, or not made by a backup.
"""

import gzip
import hashlib
import io
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import AwareDatetime, BaseModel, NonNegativeInt, ValidationError

from app.content.pictures import IMAGE_NAME
from app.errors import OperatorError, SchemaMismatch
from app.storage.snapshots import Snapshot, examine

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "omniracle.db"
SETTINGS = "settings.env"
SECRET = "secret.key"  # noqa: S105  a name
CHUNK = 2**20
LARGEST_MANIFEST = 256 * 2**20  # a million images

_NAMES = re.compile(rf"{re.escape(DATABASE)}|{re.escape(SETTINGS)}|{re.escape(SECRET)}")
_IMAGE = re.compile(rf"images/([0-9a-f]{{2}})/(?=\1){IMAGE_NAME.pattern}")


class Member(BaseModel):
    """What a file in the backup must be."""

    size: NonNegativeInt
    sha256: str


class _Maker(BaseModel):
    """What the list of every backup says, whatever else later programs write into it."""

    format: int
    program: str


class Manifest(_Maker):
    """What a backup says of itself."""

    schema_version: str
    identity: str
    made_at: AwareDatetime
    members: dict[str, Member]

    @property
    def images(self) -> int:
        """How many images there are."""
        return sum(name.startswith("images/") for name in self.members)


def member_of(file: Path) -> Member:
    """Return what `file` is as a member; raise OSError."""
    with file.open("rb") as source:
        return Member(size=os.fstat(source.fileno()).st_size, sha256=hashlib.file_digest(source, "sha256").hexdigest())


def pack(target: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    """Write the new file `target`, for its owner's eyes alone; raise OSError when it cannot be written."""
    target.touch(0o600, exist_ok=False)
    with target.open("wb") as raw:
        with (
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            listed = manifest.model_dump_json(indent=1).encode()
            _add(archive, manifest, MANIFEST, len(listed), io.BytesIO(listed))
            for name, member in manifest.members.items():
                with sources[name].open("rb") as source:
                    _add(archive, manifest, name, member.size, source)
        raw.flush()
        os.fsync(raw.fileno())


def unpack(file: Path, folder: Path, is_wanted: Callable[[str], bool]) -> tuple[Manifest, Snapshot]:
    """Check everything that is in the backup `file`, write what is wanted of it into `folder`, and say what it holds.

    The database has to be wanted: it is opened too.
    Raises OperatorError for a file that is damaged or no backup, SchemaMismatch for one of a newer program, and OSError
    where something cannot be written.
    """
    with file.open("rb") as raw, _damage_told(file), gzip.GzipFile(fileobj=raw) as packed:
        with tarfile.open(fileobj=packed, mode="r|") as archive:
            manifest = _manifest(archive)
            left = dict(manifest.members)
            while entry := archive.next():
                expected = left.pop(entry.name, None)
                if expected is None or not _is_file(entry) or entry.size != expected.size:
                    raise ValueError(f"{entry.name[:80]!r} is not what the list says")
                source = archive.extractfile(entry)
                assert source is not None
                target = folder / entry.name if is_wanted(entry.name) else None
                if _copy(source, target) != expected.sha256:
                    raise ValueError(f"{entry.name} has changed")
        while packed.read(CHUNK):  # its last bytes are the checksum of all
            pass
        if left:
            raise ValueError(f"{min(left)} is missing")
        return manifest, examine(folder / DATABASE)


def _add(archive: tarfile.TarFile, manifest: Manifest, name: str, size: int, source: IO[bytes]) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(manifest.made_at.timestamp())
    archive.addfile(entry, source)


def _manifest(archive: tarfile.TarFile) -> Manifest:
    entry = archive.next()
    if entry is None or entry.name != MANIFEST or not _is_file(entry) or entry.size > LARGEST_MANIFEST:
        raise ValueError("it does not begin with a list of what is in it")
    source = archive.extractfile(entry)
    assert source is not None
    listed = source.read()
    maker = _Maker.model_validate_json(listed)
    if maker.format > FORMAT:
        raise SchemaMismatch(
            f"This backup was made by Omniracle {maker.program[:40]}, which is newer than this program: install the "
            "newer Omniracle."
        )
    manifest = Manifest.model_validate_json(listed)
    strange = [name for name in manifest.members if not _NAMES.fullmatch(name) and not _IMAGE.fullmatch(name)]
    if strange or DATABASE not in manifest.members:
        raise ValueError(f"it holds {strange[0][:80]!r}" if strange else "there is no database in it")
    return manifest


def _is_file(entry: tarfile.TarInfo) -> bool:
    return entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE)


def _copy(source: IO[bytes], target: Path | None) -> str:
    """Return the digest of what is read; with a target it is written there too, and survives a power failure."""
    digest = hashlib.sha256()
    if target is None:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest()
    target.parent.mkdir(0o700, parents=True, exist_ok=True)
    target.touch(0o600, exist_ok=False)
    with target.open("wb") as written:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            written.write(chunk)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest()


@contextmanager
def _damage_told(file: Path) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise _damaged(file, "its list cannot be read") from error
    except (EOFError, ValueError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise _damaged(file, str(error)) from error


def _damaged(file: Path, reason: str) -> OperatorError:
    return OperatorError(f"{file} is damaged or no backup ({reason}): take another one. Nothing was changed.")
