"""Tags: of articles, and counted over all."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import ColumnElement, bindparam, delete, func, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from app.content.document import normalised_tag
from app.errors import NotFound
from app.models import Article, ArticleTag, Tag

# Made once: putting a statement together takes longer than SQLite needs to answer it.
_NAMES_OF = (
    select(ArticleTag.article_id, Tag.name)
    .join(Tag)
    .where(col(ArticleTag.article_id).in_(bindparam("ids", expanding=True)))
    .order_by(col(ArticleTag.article_id), col(ArticleTag.position))
)

_DELETED = select(Article.id).where(col(Article.deleted_at).is_not(None))


@dataclass(frozen=True)
class TagCount:
    """A tag and how many articles have it."""

    name: str
    count: int

    @property
    def label(self) -> str:
        """The tag as people read it."""
        return self.name

    @property
    def url(self) -> str:
        """The path of the tag's page."""
        return f"/tags/{quote(self.name, safe='')}"


def in_language(lang: str) -> ColumnElement[bool]:
    """Return the condition that an article is in a language; `zh` means zh-Hant too."""
    return or_(col(Article.lang) == lang, col(Article.lang).startswith(f"{lang}-", autoescape=True))


def names_of(session: Session, article_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return the tag names of each article in the author's order; articles without tags are left out."""
    names: dict[int, tuple[str, ...]] = {}
    for article_id, name in session.connection().execute(_NAMES_OF, {"ids": list(article_ids)}):
        names[article_id] = (*names.get(article_id, ()), name)
    return names


def counted(session: Session, limit: int | None = None, lang: str | None = None) -> list[TagCount]:
    """Return the tags that articles have, the most frequent first; `lang` counts only articles in that language."""
    number = func.count()
    statement = select(Tag.name, number).join(ArticleTag).where(col(ArticleTag.article_id).not_in(_DELETED))
    statement = statement.group_by(Tag.name).order_by(number.desc(), Tag.name)
    if lang:
        live = select(Article.id).where(col(Article.deleted_at).is_(None), in_language(lang))
        statement = statement.where(col(ArticleTag.article_id).in_(live))
    if limit is not None:
        statement = statement.limit(limit)
    return [TagCount(name, int(total)) for name, total in session.exec(statement)]


def count_of(session: Session, name: str) -> TagCount | None:
    """Return one tag with its count, or None when no article has it."""
    tagged = select(func.count()).select_from(ArticleTag).join(Tag)
    total = session.exec(tagged.where(Tag.name == name, col(ArticleTag.article_id).not_in(_DELETED))).one()
    return TagCount(name, total) if total else None


def find(session: Session, name: str) -> TagCount:
    """Return the tag that is meant by `name`, in its own spelling; raise NotFound when no article has it."""
    tag = count_of(session, name) or count_of(session, normalised_tag(name))
    if tag is None:
        raise NotFound("There is no topic “%(name)s”.", name=name[:60])
    return tag


def newest_in(session: Session, names: Sequence[str], each: int) -> dict[str, list[tuple[str, str, str]]]:
    """Return slug, language and title of the newest articles of each of these tags, up to `each` of them."""
    order = func.row_number().over(
        partition_by=col(Tag.name), order_by=(col(Article.created_at).desc(), col(Article.id).desc())
    )
    tagged = select(Tag.name, Article.slug, Article.lang, Article.title, order.label("place"))  # type: ignore[call-overload]
    tagged = tagged.join(ArticleTag, col(ArticleTag.tag_id) == Tag.id).join(Article)
    numbered = tagged.where(col(Tag.name).in_(names), col(Article.deleted_at).is_(None)).subquery()
    first = sa_select(numbered).where(numbered.c.place <= each).order_by(numbered.c.name, numbered.c.place)
    found: dict[str, list[tuple[str, str, str]]] = {}
    for name, slug, lang, title, _place in session.execute(first):
        found.setdefault(name, []).append((slug, lang, title))
    return found


def replace(session: Session, article_id: int, names: Sequence[str]) -> None:
    """Make `names`, in this order, the tags of the article; what stays as it is is not written."""
    if tuple(names) == names_of(session, [article_id]).get(article_id, ()):
        return
    known = _ids(session, names)
    session.add_all(Tag(name=name) for name in names if name not in known)
    session.flush()
    known = _ids(session, names)
    session.exec(delete(ArticleTag).where(col(ArticleTag.article_id) == article_id))
    session.add_all(
        ArticleTag(article_id=article_id, tag_id=known[name], position=position) for position, name in enumerate(names)
    )
    session.flush()


def _ids(session: Session, names: Sequence[str]) -> dict[str, int]:
    rows = session.exec(select(Tag.name, Tag.id).where(col(Tag.name).in_(names)))
    return {name: id_ for name, id_ in rows if id_ is not None}
