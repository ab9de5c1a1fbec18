"""What one of several hosts knows of its own files, whatever the others have brought into the database since.

Their content folders may be at different states. So each host keeps in its data folder (`content.json`) the digests of
the files that its folder had when it was synced last. A start brings in what has changed here since, as a change of
what this host had: it is merged with what others have changed. What is about to be brought in is written down before:
after a kill the database tells which of it was.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sqlmodel import Session

from app.config import Settings
from app.content.slugs import default_slug
from app.models import Article, SourceFile
from app.services import files
from app.services.exchange import Prepared, file_digest
from app.services.finding import FoundFile, sha256_of
from app.services.hosts import mark_of
from app.storage import articles, revisions, site
from app.storage.database import Database

log = logging.getLogger(__name__)

RECORD = "content.json"
LEFT = ""  # in place of the digest of a file that was not brought in


@dataclass(frozen=True)
class Had:
    """The files that a host had at its last sync: their digests by path; none where it keeps no record of them."""

    digests: Mapping[str, str] = field(default_factory=dict)
    is_kept: bool = False

    def knows(self, path: str) -> bool:
        """Say whether the file was there and brought in."""
        return bool(self.digests.get(path))

    def differs(self, found: FoundFile) -> bool:
        """Say whether a file is not what it was; one that cannot be read is looked at anew each time."""
        digest = file_digest(found)
        return not digest or digest != self.digests.get(found.path)

    def was_renamed_elsewhere(self, path: str, former: SourceFile) -> bool:
        """Say whether another host has brought in another name for the file at `path`, which was here already."""
        return path != former.path and self.knows(path) and not self.knows(former.path)

    def is_behind(
        self, session: Session, found: FoundFile, prepared: Prepared, former: SourceFile | None, at_path: Article | None
    ) -> bool:
        """Say whether a file that this host did not have may be older than what is in its place.

        `former` is what is known of the file under this name or the one that it had before.
        """
        if self.knows(found.path) or (former is not None and self.knows(former.path)):
            return False
        address = prepared.document.slug or default_slug(PurePosixPath(found.path))
        if former is not None:
            is_at_former = found.path == former.path
            return not _has_text(session, former, prepared) or (
                not is_at_former and articles.slug_is_taken(session, address)
            )
        is_new_here = self.is_kept and found.path not in self.digests
        return not is_new_here and (at_path is not None or articles.slug_is_taken(session, address))

    def as_here(self, session: Session, known: SourceFile, path: str, sha256: str) -> SourceFile:
        """Return what is known of a file, as this host had it: others may have brought in another text since.

        The file is at `path` now, with the digest `sha256`. One that is as it was is taken as it is.
        """
        own = self.digests.get(path) or self.digests.get(known.path)
        if not own or own in (known.sha256, sha256 if path == known.path else ""):
            return known
        number = next(
            (
                revision.number
                for revision in reversed(revisions.after(session, known.article_id, 0))
                if sha256_of(revision.source.encode()) == own
            ),
            0,
        )
        return SourceFile(**known.model_dump() | {"sha256": own, "revision": number, "source": None})


class OwnFiles:
    """The files of a host that shares its database."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.mark = mark_of(settings)
        self._file = settings.data_dir / RECORD
        self._content_dir = settings.content_dir.resolve()
        self._database = database

    @classmethod
    def of(cls, settings: Settings, database: Database) -> "OwnFiles | None":
        """Return what the host knows; None where it is alone, for then the database knows all."""
        return cls(settings, database) if database.can_be_shared else None

    def at_last_sync(self, folder: Path, known: Mapping[str, SourceFile]) -> Had:
        """Return what `folder` had when it was last synced with this database, in which these files are `known`.

        Before anybody has synced one, nothing can be behind: then all files are new here.
        """
        if not known:
            return Had(is_kept=True)
        if folder.resolve() != self._content_dir or not self._file.exists():
            return Had()
        try:
            kept = json.loads(self._file.read_bytes())
            if not self._knows(kept["site"], *kept["revision"]):
                return Had()
            begun = kept["begun"].items()
            done = {path: digest for path, digest in begun if path in known and known[path].sha256 == digest}
            return Had(dict(kept["files"]) | done, is_kept=True)
        except (AttributeError, ValueError, KeyError, TypeError) as error:  # cut off, for example
            log.warning("%s cannot be used (%s): it is written anew", self._file, error)
            return Had()

    def keep(self, folder: Path, digests: Mapping[str, str], begun: Sequence[FoundFile] = ()) -> None:
        """Keep the digests of what `folder` has now, and of what is about to be brought in; raise OSError."""
        if folder.resolve() == self._content_dir:
            with self._database.read() as session:
                place = {"site": site.identity(session), "revision": revisions.newest(session)}
            kept = place | {"files": digests, "begun": {found.path: file_digest(found) for found in begun}}
            files.write(self._file, json.dumps(kept, ensure_ascii=False, indent=0, sort_keys=True).encode())

    def _knows(self, identity: str, revision: int, stamp: str) -> bool:
        """Say whether the database is the one of then; an older one that was put in its place lacks the revision."""
        with self._database.read() as session:
            return (site.identity(session), revisions.stamp(session, revision)) == (identity, stamp)


def _has_text(session: Session, known: SourceFile, prepared: Prepared) -> bool:
    """Say whether a text is the one that is known of its file, or its article's newest one."""
    article = session.get_one(Article, known.article_id)
    is_newest = revisions.number_of(session, known.article_id, prepared.source) == article.revision
    return known.sha256 == prepared.sha256 or is_newest
