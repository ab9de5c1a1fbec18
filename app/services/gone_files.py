"""The files of the content folder that are not there any more: one of them may have been renamed to a new one."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from sqlmodel import Session

from app.models import SourceFile
from app.services.exchange import CONTENT, Prepared
from app.storage import source_files


class Gone:
    """What files can be known again by that are gone."""

    def __init__(self, session: Session, known: Mapping[str, SourceFile], present: AbstractSet[str]) -> None:
        """Look at those of the `known` files that are not `present`."""
        self._paths: dict[tuple[str, ...], list[str]] = {}
        names = source_files.names_of(session, CONTENT) if known.keys() - present else {}
        for path in sorted(names.keys() & known.keys() - present):
            slug, *title = names[path]
            for key in ((known[path].sha256,), (slug,), tuple(title)):
                self._paths.setdefault(key, []).append(path)

    def former(self, session: Session, prepared: Prepared, own: str) -> SourceFile | None:
        """Return the file that the prepared one was before: with its bytes, or those of digest `own`, slug or title."""
        if same := self._still(session, (prepared.sha256,)) or self._still(session, (own,)):
            return same[0]
        document = prepared.document
        alike = self._still(session, (document.slug,) if document.slug else (document.title, document.lang))
        return alike[0] if len(alike) == 1 else None

    def _still(self, session: Session, key: tuple[str, ...]) -> list[SourceFile]:
        # Read again: an earlier file of this run, or another process, may have taken it.
        return [
            known
            for path in self._paths.get(key, ())
            if (known := source_files.get(session, CONTENT, path)) is not None
        ]
