"""`restore`: a backup takes the place of what is there; a bad one is refused before anything is touched."""

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.config import Settings
from app.errors import OperatorError
from app.models.columns import now
from app.services import files
from app.services.backup_file import DATABASE, SECRET, SETTINGS, Manifest, unpack
from app.services.image_store import image_store
from app.services.moving import move, refuse_site
from app.storage import schema, snapshots
from app.storage.content_version import SharedVersion
from app.storage.database import Database, file_of

RESTORED_SETTINGS = "restored-settings.env"
WORK = ".restore-"  # how the folder begins into which a backup is unpacked


@dataclass(frozen=True)
class Restored:
    """What has become of a backup."""

    manifest: Manifest
    kept: Path | None  # the database that was there before
    settings: Path  # the settings of the site that the backup is of; for a person to compare


def restore(settings: Settings, file: Path, *, force: bool = False) -> Restored:
    """Put the backup `file` in the place of the database and the images; nobody may use the data folder meanwhile.

    Without `force` nothing is done where there is a database already; with it, that one stays under another name. One
    in PostgreSQL has to be empty. Raises OperatorError for that and for a backup that is damaged;
    SchemaMismatch for one of a newer program. Nothing has been touched then.
    """
    target = file_of(settings)
    if target is None:
        with closing(Database.of(settings)) as database:
            refuse_site(database)
    elif target.exists() and not force:
        raise OperatorError(f"There is a database at {target} already: replace it with --force; it is kept beside.")
    settings.prepare_data_dir()
    try:
        with files.work_folder(settings.data_dir, WORK) as folder:
            manifest, state = unpack(file, folder, lambda _name: True)
            schema.refuse_newer(state.schema)
            return Restored(manifest, *_put(settings, target, folder))
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise OperatorError(
            f"{file} cannot be restored ({reason}): see that it can be read, and that the data folder "
            f"{settings.data_dir} may be written to and has space for all that is in it."
        ) from error


def _put(settings: Settings, target: Path | None, folder: Path) -> tuple[Path | None, Path]:
    """Move everything that was unpacked to its place, the database last: until then the site is the one it was."""
    suffix = f".before-restore-{now():%Y%m%dT%H%M%S}"
    store = image_store(settings)
    for image in sorted(folder.glob("images/*/*")):
        store.write(image.name, image.read_bytes())
    if settings.index_dir.exists():  # of the articles that were there; it is built anew at the next start
        shutil.rmtree(settings.index_dir)
    # No page that was made of the old database may be shown any more, nor kept anew.
    shutil.rmtree(settings.pages_dir, ignore_errors=True)
    version = SharedVersion(settings.version_file)
    version.raise_to(version.get() + 1)
    listed = settings.data_dir / RESTORED_SETTINGS
    (folder / SETTINGS).replace(listed)
    _put_secret(settings.secret_file, folder / SECRET, suffix)
    kept = None
    if target is None:
        _move(folder / DATABASE, settings)
    else:
        kept = _replace(target, folder / DATABASE, suffix)
    files.sync_folder(settings.data_dir)
    return kept, listed


def _move(copy: Path, settings: Settings) -> None:
    with closing(Database(f"sqlite:///{copy}")) as source, closing(Database.of(settings)) as database:
        schema.migrate(source)
        move(source, database)


def _replace(target: Path, copy: Path, suffix: str) -> Path | None:
    """Make the copy the database; return what the one that was there is now, None if there was none."""
    target.parent.mkdir(0o700, parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}{suffix}.new")
    shutil.move(copy, beside)  # the database may be on another disk than the data folder
    kept = target.with_name(target.name + suffix)
    was_there = snapshots.put(beside, target, kept)
    files.sync_folder(target.parent)
    return kept if was_there else None


def _put_secret(place: Path, restored: Path, suffix: str) -> None:
    if restored.exists():
        if place.exists():
            place.replace(place.with_name(place.name + suffix))
        restored.replace(place)
