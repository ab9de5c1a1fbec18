"""Which file an article came from, and in which state it was exchanged last."""

from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from app.models import Article, SourceFile

EXPORT = "export:"  # begins the origins of files that were written, not read


def of_origin(session: Session, origin: str) -> dict[str, SourceFile]:
    """Return the known files of an origin by path."""
    return {known.path: known for known in session.exec(select(SourceFile).where(SourceFile.origin == origin))}


def get(session: Session, origin: str, path: str) -> SourceFile | None:
    """Return what is known of one file, else None."""
    return session.get(SourceFile, (origin, path))


def by_digest(session: Session) -> dict[str, list[SourceFile]]:
    """Return the known files of all origins by the digest of their bytes, each list by origin and path."""
    found: dict[str, list[SourceFile]] = {}
    for known in session.exec(select(SourceFile).order_by(SourceFile.origin, SourceFile.path)):
        found.setdefault(known.sha256, []).append(known)
    return found


def names_of(session: Session, origin: str) -> dict[str, tuple[str, str, str]]:
    """Return slug, title and language of the article of each known file of an origin, by path."""
    columns = select(SourceFile.path, Article.slug, Article.title, Article.lang)
    statement = columns.join(Article, col(Article.id) == SourceFile.article_id).where(SourceFile.origin == origin)
    return {path: (slug, title, lang) for path, slug, title, lang in session.exec(statement)}


def articles_among(session: Session, origin: str, article_ids: Iterable[int]) -> set[int]:
    """Return those of `article_ids` that have a known file of this origin."""
    statement = select(SourceFile.article_id).where(SourceFile.origin == origin)
    return set(session.exec(statement.where(col(SourceFile.article_id).in_(list(article_ids)))))


def is_known(session: Session, article_id: int, revision: int) -> bool:
    """Say whether some file that was brought in equals, or last equalled, this revision of the article."""
    statement = select(SourceFile.path).where(SourceFile.article_id == article_id, SourceFile.revision == revision)
    was_brought_in = ~col(SourceFile.origin).startswith(EXPORT)
    return session.exec(statement.where(was_brought_in).limit(1)).first() is not None


def put(session: Session, known: SourceFile) -> None:
    """Remember a file's state, in place of what was remembered of it before."""
    session.merge(known)


def touch(session: Session, origin: str, times: Mapping[str, tuple[str, int]]) -> None:
    """Set the times of files, given by path with the digest that each must still have."""
    for path, (sha256, mtime_ns) in times.items():
        known = get(session, origin, path)
        if known is not None and known.sha256 == sha256:
            known.mtime_ns = mtime_ns
            session.add(known)
