"""Reading articles: one, many as cards or as links name them, pages of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import BindParameter, ColumnElement, Executable, Select, bindparam, func, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from app.content.language import with_parents
from app.errors import Gone, NotFound
from app.models import Alias, Article, ArticleTag, Tag, ViewCount
from app.models.columns import now
from app.pagination import Page, check_page, offset_of
from app.storage import tags

Sort = Literal["newest", "updated", "popular"]

POPULAR_DAYS = 30
LIVE = col(Article.deleted_at).is_(None)  # what was deleted is in no list, on no page and not in the index

# Made once: putting a statement together takes longer than SQLite needs to answer it.
_BY_SLUG = select(Article).where(Article.slug == bindparam("slug"), LIVE)
_BY_ID = select(Article).where(Article.id == bindparam("id"), LIVE)
NAMED = sa_select(col(Article.id), col(Article.slug), col(Article.lang), col(Article.title)).where(LIVE)
_OF_IDS = col(Article.id).in_(bindparam("ids", expanding=True))
_OF_SLUGS = col(Article.slug).in_(bindparam("slugs", expanding=True))
_ALIASES = sa_select(col(Alias.slug), col(Alias.article_id)).where(
    col(Alias.slug).in_(bindparam("slugs", expanding=True))
)
_CARD = select(Article.id, Article.slug, Article.title, Article.lang, Article.excerpt, Article.updated_at).where(LIVE)  # type: ignore[call-overload]
_CARDS: Executable = _CARD.where(_OF_IDS)
_CARDS_BY_SLUG: Executable = _CARD.where(or_(_OF_SLUGS, _OF_IDS))
_NAMED_BY_ID = NAMED.where(_OF_IDS)


@dataclass(frozen=True)
class Card:
    """What lists show of an article."""

    id: int
    slug: str
    title: str
    lang: str
    tags: tuple[str, ...]
    excerpt: str
    updated_at: datetime

    @property
    def url(self) -> str:
        """The path of the article's page."""
        return f"/questions/{self.slug}"


@dataclass(frozen=True)
class Named:
    """An article as a link names it."""

    id: int
    slug: str
    lang: str
    title: str

    @property
    def url(self) -> str:
        """The path of the article's page."""
        return f"/questions/{self.slug}"


@dataclass(frozen=True)
class Address:
    """Where an article is, and when it was changed."""

    slug: str
    updated_at: datetime


def by_slug(session: Session, slug: str) -> Article | None:
    """Return the article whose slug this is now, else None."""
    return session.exec(_BY_SLUG, params={"slug": slug}).first()


def by_id(session: Session, id_: int) -> Article | None:
    """Return the live article that has this id, else None."""
    return session.exec(_BY_ID, params={"id": id_}).first()


def by_alias(session: Session, slug: str) -> Article | None:
    """Return the article that has `slug` as an alias, else None."""
    return session.exec(select(Article).join(Alias).where(Alias.slug == slug, LIVE)).first()


def find(session: Session, slug: str) -> Article:
    """Return the article that has or had this slug; raise Gone when it was deleted, NotFound when there is none."""
    article = by_slug(session, slug) or by_alias(session, slug)
    if article is not None:
        return article
    if deleted(session, slug) is not None:
        raise Gone("The answer that was here has been deleted.")
    raise NotFound("There is no question at this address.")


def deleted(session: Session, slug: str) -> Article | None:
    """Return the deleted article that has or had this slug, else None."""
    former = select(Alias.article_id).where(Alias.slug == slug)
    wanted = or_(col(Article.slug) == slug, col(Article.id).in_(former))
    return session.exec(select(Article).where(wanted, ~LIVE)).first()


def all_deleted(session: Session) -> list[Article]:
    """Return all deleted articles."""
    return list(session.exec(select(Article).where(~LIVE).order_by(col(Article.id))))


def slug_is_taken(session: Session, slug: str, but_article: int | None = None) -> bool:
    """Say whether `slug` is the slug or an alias of an article other than `but_article`."""
    current = session.exec(select(Article.id).where(Article.slug == slug)).all()
    former = session.exec(select(Alias.article_id).where(Alias.slug == slug)).all()
    return any(owner != but_article for owner in (*current, *former))


def by_path(session: Session, path: str) -> Article | None:
    """Return the article whose file this is, else None."""
    return session.exec(select(Article).where(Article.path == path)).first()


def path_is_taken(session: Session, path: str) -> bool:
    """Say whether an article has this file path."""
    return session.exec(select(Article.id).where(Article.path == path)).first() is not None


def by_ids(session: Session, ids: Sequence[int]) -> list[Article]:
    """Return the articles with these ids, in the order of `ids`; missing ones are left out."""
    found = {article.id: article for article in session.exec(select(Article).where(col(Article.id).in_(ids), LIVE))}
    return [found[id_] for id_ in ids if id_ in found]


def ids_after(session: Session, last: int, limit: int) -> list[int]:
    """Return up to `limit` article ids greater than `last`, ascending."""
    statement = select(Article.id).where(col(Article.id) > last, LIVE).order_by(col(Article.id)).limit(limit)
    return [id_ for id_ in session.exec(statement) if id_ is not None]


def revision_numbers(session: Session) -> dict[int, int]:
    """Return the number of the newest revision of every article, by article id."""
    rows = session.exec(select(Article.id, Article.revision).where(LIVE))
    return {id_: number for id_, number in rows if id_ is not None}


def named(session: Session, ids: Sequence[int]) -> list[Named]:
    """Return these articles as links name them, in the order of `ids`; missing ones are left out."""
    found = {each.id: each for each in named_by(session, _NAMED_BY_ID, {"ids": list(ids)})}
    return [found[id_] for id_ in ids if id_ in found]


def cards(session: Session, ids: Sequence[int]) -> list[Card]:
    """Return the cards of these articles, in the order of `ids`; missing ones are left out."""
    found = {card.id: card for card in _cards(session, _CARDS, {"ids": list(ids)})}
    return [found[id_] for id_ in ids if id_ in found]


def cards_by_slug(session: Session, slugs: Sequence[str]) -> list[Card]:
    """Return the cards of the articles with these slugs or aliases, in their order; unknown ones are left out."""
    if not slugs:
        return []
    rows = session.connection().execute(_ALIASES, {"slugs": list(slugs)}).all()
    aliased: dict[str, int] = {row.slug: row.article_id for row in rows}
    found = _cards(session, _CARDS_BY_SLUG, {"slugs": list(slugs), "ids": list(aliased.values())})
    by_name = {card.slug: card for card in found} | {
        name: card for name, id_ in aliased.items() for card in found if card.id == id_
    }
    return [by_name[slug] for slug in dict.fromkeys(slugs) if slug in by_name]


def list_page(
    session: Session,
    *,
    number: int,
    size: int,
    tag: str | None = None,
    lang: str | None = None,
    sort: Sort = "newest",
) -> Page[Card]:
    """Return one page of cards; raise NotFound for a page that does not exist."""
    wanted = _filters(tag, lang)
    total = session.exec(select(func.count()).select_from(Article).where(*wanted)).one()
    # First the ids, by the index alone: a row is long, and most of them are passed over.
    statement = _sorted(sa_select(col(Article.id)).where(*wanted), sort).offset(offset_of(number, size)).limit(size)
    ids = [int(id_) for id_ in session.execute(statement).scalars()]
    return check_page(Page(cards(session, ids), total, number, size))


def languages(session: Session, tag: str | None = None) -> list[tuple[str, int]]:
    """Return the languages of the articles with how many `list_page` lists in each, the most frequent first."""
    statement = select(Article.lang, func.count()).where(*_filters(tag, None)).group_by(Article.lang)
    counts = with_parents({lang: int(number) for lang, number in session.exec(statement)})
    return sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))


def named_by(session: Session, statement: Executable, wanted: Mapping[str, object]) -> list[Named]:
    """Return what a statement finds that begins with NAMED."""
    return [Named(*row) for row in session.connection().execute(statement, wanted)]


def on_topic(tag: str | BindParameter[str]) -> ColumnElement[bool]:
    """Return the condition that an article has a tag."""
    tagged = select(ArticleTag.article_id).join(Tag).where(col(Tag.name) == tag)
    return (col(Article.id) + 0).in_(tagged)  # the sum keeps SQLite from fetching each of their rows


def addresses(session: Session, *, offset: int, limit: int) -> list[Address]:
    """Return the addresses of articles in the order in which they were made."""
    statement = (
        select(Article.slug, Article.updated_at).where(LIVE).order_by(col(Article.id)).offset(offset).limit(limit)
    )
    return [Address(slug, updated_at) for slug, updated_at in session.exec(statement)]


def count(session: Session) -> int:
    """Return how many articles there are."""
    return session.exec(select(func.count()).select_from(Article).where(LIVE)).one()


def _filters(tag: str | None, lang: str | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [LIVE]
    if tag:
        wanted.append(on_topic(tag))
    if lang:
        wanted.append(tags.in_language(lang))
    return wanted


def _sorted(statement: Select[Any], sort: Sort) -> Select[Any]:
    if sort == "popular":
        since = (now() - timedelta(days=POPULAR_DAYS)).date()
        views = (
            select(ViewCount.article_id, func.sum(ViewCount.count).label("views"))
            .where(ViewCount.day >= since)
            .group_by(col(ViewCount.article_id))
            .subquery()
        )
        statement = statement.outerjoin(views, views.c.article_id == Article.id)
        return statement.order_by(func.coalesce(views.c.views, 0).desc(), col(Article.id))
    moment = Article.updated_at if sort == "updated" else Article.created_at
    return statement.order_by(col(moment).desc(), col(Article.id).desc())


def _cards(session: Session, statement: Executable, wanted: Mapping[str, Sequence[object]]) -> list[Card]:
    rows = session.connection().execute(statement, wanted).all()
    names = tags.names_of(session, [row.id for row in rows])
    return [
        Card(row.id, row.slug, row.title, row.lang, names.get(row.id, ()), row.excerpt, row.updated_at) for row in rows
    ]
