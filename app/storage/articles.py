"""Reading articles: one, many as cards, pages of them, their translations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Executable, Integer, Select, bindparam, func, or_, tuple_
from sqlalchemy import select as sa_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.errors import Gone, NotFound
from app.models import Alias, Article, ArticleTag, Pin, Tag, Translation, ViewCount
from app.models.columns import UtcDateTime, now
from app.pagination import Page, check_page, offset_of
from app.storage import tags

Sort = Literal["newest", "updated", "popular"]

POPULAR_DAYS = 30
LIVE = col(Article.deleted_at).is_(None)  # what was deleted is in no list, on no page and not in the index

# What each page of a question asks is put together once: that takes longer than SQLite needs to answer it.
_BY_SLUG = select(Article).where(Article.slug == bindparam("slug"), LIVE)
_PINNED = select(Pin.slug).where(Pin.article_id == bindparam("article_id")).order_by(col(Pin.position))
_NAMED = sa_select(col(Article.id), col(Article.slug), col(Article.lang), col(Article.title))
_TAGGED = select(ArticleTag.article_id).join(Tag).where(Tag.name == bindparam("tag"))
_ON_TOPIC = _NAMED.where(
    LIVE,
    (col(Article.id) + 0).in_(_TAGGED),  # the sum keeps SQLite from fetching each of their rows
    or_(col(Article.lang) == bindparam("lang"), col(Article.lang).like(bindparam("regional"))),
).limit(1)
_PLACE = tuple_(col(Article.created_at), col(Article.id))
_OWN_PLACE = tuple_(bindparam("moment", type_=UtcDateTime), bindparam("id", type_=Integer))
_PREVIOUS = _ON_TOPIC.where(_PLACE < _OWN_PLACE).order_by(col(Article.created_at).desc(), col(Article.id).desc())
_FOLLOWING = _ON_TOPIC.where(_PLACE > _OWN_PLACE).order_by(col(Article.created_at), col(Article.id))


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


def cards(session: Session, ids: Sequence[int]) -> list[Card]:
    """Return the cards of these articles, in the order of `ids`; missing ones are left out."""
    found = {card.id: card for card in _cards(session, _card_columns().where(col(Article.id).in_(ids), LIVE))}
    return [found[id_] for id_ in ids if id_ in found]


def cards_by_slug(session: Session, slugs: Sequence[str]) -> list[Card]:
    """Return the cards of the articles with these slugs or aliases, in their order; unknown ones are left out."""
    aliased = {alias.slug: alias.article_id for alias in session.exec(select(Alias).where(col(Alias.slug).in_(slugs)))}
    wanted = or_(col(Article.slug).in_(slugs), col(Article.id).in_(aliased.values()))
    found = _cards(session, _card_columns().where(wanted, LIVE))
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
    """Return the languages of the articles with how many each has, the most frequent first."""
    count = func.count()
    statement = select(Article.lang, count).where(*_filters(tag, None)).group_by(Article.lang)
    return [(lang, int(number)) for lang, number in session.exec(statement.order_by(count.desc(), Article.lang))]


def languages_of(session: Session, ids: Sequence[int]) -> list[str]:
    """Return the language of each of these articles, in no order."""
    return list(session.exec(select(Article.lang).where(col(Article.id).in_(ids), LIVE)))


def twins(session: Session, article: Article) -> list[Named]:
    """Return the other members of the article's translation group: chains are followed, aliases are understood."""
    return _named(session, _twins_statement(), article_id=article.id)


def neighbours(session: Session, article: Article, tag: str) -> tuple[Named | None, Named | None]:
    """Return the articles of the same topic and language that came just before and just after this one."""
    lang = article.lang.split("-")[0]
    same = {"moment": article.created_at, "id": article.id, "tag": tag, "lang": lang, "regional": f"{lang}-%"}
    previous, following = _named(session, _PREVIOUS, **same), _named(session, _FOLLOWING, **same)
    return previous[0] if previous else None, following[0] if following else None


def pinned_slugs(session: Session, article_id: int) -> list[str]:
    """Return the slugs that the author named as related, in order."""
    return list(session.connection().execute(_PINNED, {"article_id": article_id}).scalars())


def addresses(session: Session, *, offset: int, limit: int) -> list[Address]:
    """Return the addresses of articles in the order in which they were made."""
    statement = (
        select(Article.slug, Article.updated_at).where(LIVE).order_by(col(Article.id)).offset(offset).limit(limit)
    )
    return [Address(slug, updated_at) for slug, updated_at in session.exec(statement)]


def count(session: Session) -> int:
    """Return how many articles there are."""
    return session.exec(select(func.count()).select_from(Article).where(LIVE)).one()


def _named(session: Session, statement: Executable, **wanted: object) -> list[Named]:
    return [Named(*row) for row in session.connection().execute(statement, wanted)]


@cache
def _twins_statement() -> Executable:
    # Each article has at most one original, so the group is the originals up to the first, and all that lead to them.
    own = bindparam("article_id", type_=Integer)
    up = select(col(Article.id)).where(col(Article.id) == own).cte("originals", recursive=True)
    original, former = aliased(Article), aliased(Alias)
    parent = func.coalesce(original.id, former.article_id)
    up = up.union(
        select(parent)
        .join_from(up, Translation, col(Translation.article_id) == up.c.id)
        .outerjoin(original, col(original.slug) == Translation.original_slug)
        .outerjoin(former, col(former.slug) == Translation.original_slug)
        .where(parent.is_not(None))
    )
    # An original that has not arrived yet connects its translations all the same.
    mine, other = aliased(Translation), aliased(Translation)
    siblings = select(other.article_id).join_from(mine, other, col(other.original_slug) == mine.original_slug)
    start = select(up.c.id).union(siblings.where(col(mine.article_id).in_(select(up.c.id)))).subquery()
    down = select(start.c.id).cte("members", recursive=True)
    member, alias, child = aliased(Article), aliased(Alias), aliased(Translation)
    down = down.union(
        select(child.article_id)
        .join_from(down, member, col(member.id) == down.c.id)
        .outerjoin(alias, col(alias.article_id) == member.id)
        .join(child, col(child.original_slug).in_([member.slug, alias.slug]))
    )
    twins = col(Article.id).in_(select(down.c.id)), col(Article.id) != own, LIVE
    return _NAMED.where(*twins).order_by(Article.lang, Article.slug)


def _filters(tag: str | None, lang: str | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [LIVE]
    if tag:
        tagged = select(ArticleTag.article_id).join(Tag).where(Tag.name == tag)
        wanted.append((col(Article.id) + 0).in_(tagged))  # the sum keeps SQLite from fetching each of their rows
    if lang:
        wanted.append(tags.in_language(lang))
    return wanted


def _card_columns() -> Select[Any]:
    return select(Article.id, Article.slug, Article.title, Article.lang, Article.excerpt, Article.updated_at)  # type: ignore[call-overload, no-any-return]


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


def _cards(session: Session, statement: Select[Any]) -> list[Card]:
    rows = session.execute(statement).all()
    names = tags.names_of(session, [row.id for row in rows])
    return [
        Card(row.id, row.slug, row.title, row.lang, names.get(row.id, ()), row.excerpt, row.updated_at) for row in rows
    ]
