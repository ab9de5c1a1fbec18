"""Backups for the tests: made, looked into, and put together anew as nobody should."""

import io
import json
import tarfile
from hashlib import sha256

from app.models import Image
from app.models.columns import now
from app.services.backup import back_up
from app.services.backup_file import MANIFEST

SECRET_VALUE = "a secret that nobody may see in a backup"
GIVEN = {"OMNIRACLE_SITE_NAME": "It's \\ ours", "OMNIRACLE_SECRET_KEY": SECRET_VALUE}


def contents(folder):
    """Every file below a folder, by its path."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def add_image(library, content=b"pretended", *, missing=False):
    name = f"{sha256(content).hexdigest()[:32]}-1x1.png"
    with library.database.write() as session:
        session.add(Image(name=name, media_type="image/png", bytes=len(content), created_at=now()))
    if not missing:
        file = library.settings.images_dir / name[:2] / name
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    return name


def made(library, tmp_path, **options):
    file = tmp_path / "backups" / "site.tar.gz"
    file.parent.mkdir(exist_ok=True)
    return back_up(library.settings, file, GIVEN, **options), file


def members(file):
    with tarfile.open(file) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def rewritten(file, change, extra=()):
    """Make the backup anew: `change` gets its list and its members, and `extra` members are added at the end."""
    held = members(file)
    listed = json.loads(held.pop(MANIFEST))
    change(listed, held)
    with tarfile.open(file, "w:gz") as archive:
        for name, content in {MANIFEST: json.dumps(listed).encode(), **held}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in extra:
            archive.addfile(entry, io.BytesIO(b"x" * entry.size))


def list_as(listed, held, name, content):
    listed["members"][name] = {"size": len(content), "sha256": sha256(content).hexdigest()}
    held[name] = content
