"""`backup`: the database, the images and the settings in one file, consistent while the site is written to."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ValidationError

from app import __version__
from app.config import SECRETS, Settings
from app.errors import OperatorError
from app.models.columns import now
from app.services import files
from app.services.backup_file import DATABASE, FORMAT, SECRET, SETTINGS, Manifest, member_of, pack, unpack
from app.services.image_store import has_digest, image_store
from app.services.moving import move
from app.storage import snapshots
from app.storage.database import Database, file_of

WORK = ".omniracle-backup-"  # how the folder begins in which a backup is made


class Receipt(BaseModel):
    """When a backup was made, which, and how large it is; kept in the data folder."""

    made_at: AwareDatetime
    file: str
    bytes: int


@dataclass(frozen=True)
class Backup:
    """A backup that was made."""

    receipt: Receipt
    images: int
    missing: tuple[str, ...]  # images that the database names and that are nowhere
    damaged: tuple[str, ...]  # images whose bytes are not those that they were stored with; they are left out


def back_up(
    settings: Settings,
    file: Path,
    given: Mapping[str, str],
    *,
    with_secrets: bool = False,
    force: bool = False,
) -> Backup:
    """Write a backup to `file`, read it back, and return what it holds; `given` are the settings that somebody has set.

    Others may change the site meanwhile. Without `force` a file that is there stays. Raises OperatorError when the
    backup cannot be made; the name is not taken then, and what had it stays.
    """
    source = file_of(settings)
    if source is not None and not source.is_file():
        raise OperatorError(f"There is no database at {source} yet: run `omniracle serve` first.")
    if file.exists() and not force:
        raise OperatorError(f"{file} is there already: name another file, or replace it with --force.")
    with _failure_told(file), files.work_folder(file.parent, WORK) as folder:
        copy = folder / DATABASE
        if source is None:
            _take(settings, copy)
        else:
            snapshots.take(source, copy)
        try:
            state = snapshots.examine(copy)
        except ValueError as error:
            raise OperatorError(f"The database is damaged ({error}): run `omniracle check`.") from error
        # Images never change and are there before the database names them: it is copied first.
        store = image_store(settings)
        paths = {name: path for name in state.images if (path := store.file(name, folder))}
        missing = tuple(name for name in state.images if name not in paths)
        sources = {DATABASE: copy, SETTINGS: folder / SETTINGS}
        sources[SETTINGS].write_text(_listed(given, with_secrets=with_secrets), encoding="utf-8")
        if with_secrets and settings.secret_key is None:
            settings.signing_key()
            sources[SECRET] = settings.secret_file
        members = {name: member_of(path) for name, path in sources.items()}
        images = {name: member_of(path) for name, path in paths.items()}
        damaged = tuple(name for name, member in images.items() if not has_digest(name, member.sha256))
        for name, member in images.items():
            if name not in damaged:
                place = f"images/{name[:2]}/{name}"
                sources[place], members[place] = paths[name], member
        manifest = Manifest(
            format=FORMAT,
            program=__version__,
            schema_version=state.schema,
            identity=state.identity,
            made_at=now(),
            members=members,
        )
        packed = folder / "backup"
        pack(packed, manifest, sources)
        copy.unlink()
        unpack(packed, folder / "read-back", lambda name: name == DATABASE)
        receipt = Receipt(made_at=manifest.made_at, file=file.name, bytes=packed.stat().st_size)
        packed.replace(file)
        files.sync_folder(file.parent)
    files.write(settings.backup_file, receipt.model_dump_json().encode())
    return Backup(receipt, manifest.images, missing, damaged)


def last(settings: Settings) -> Receipt | None:
    """Return the receipt of the last backup; None when there is none that can be read."""
    try:
        return Receipt.model_validate_json(settings.backup_file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _take(settings: Settings, copy: Path) -> None:
    """Write one state of a database of another kind to the new file `copy`, as one of SQLite."""
    copy.touch(0o600, exist_ok=False)
    with closing(Database.of(settings)) as source, closing(Database(f"sqlite:///{copy}")) as target:
        move(source, target)


def _listed(given: Mapping[str, str], *, with_secrets: bool) -> str:
    """Return settings as `.env` takes them."""
    shown = {name: value for name, value in sorted(given.items()) if with_secrets or name not in SECRETS}
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in shown.items()}
    return "".join(f"{name}='{value}'\n" for name, value in quoted.items())


@contextmanager
def _failure_told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise OperatorError(
            f"The backup {file} cannot be written ({reason}): name a file in a folder that may be written to, on a "
            "disk with space for it."
        ) from error
