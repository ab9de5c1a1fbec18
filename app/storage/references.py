"""Articles that an article leads to: its translations, those before and after it in a topic, those its author named."""

from functools import cache

from sqlalchemy import Executable, Integer, bindparam, func, or_, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.models import Alias, Article, Pin, Translation
from app.models.columns import UtcDateTime
from app.storage.articles import LIVE, NAMED, Named, named_by, on_topic

# Made once: putting a statement together takes longer than SQLite needs to answer it.
_PINNED = select(Pin.slug).where(Pin.article_id == bindparam("article_id")).order_by(col(Pin.position))
_ON_TOPIC = NAMED.where(
    on_topic(bindparam("tag")),
    or_(col(Article.lang) == bindparam("lang"), col(Article.lang).like(bindparam("regional"))),
).limit(1)
_PLACE = tuple_(col(Article.created_at), col(Article.id))
_OWN_PLACE = tuple_(bindparam("moment", type_=UtcDateTime), bindparam("id", type_=Integer))
_PREVIOUS = _ON_TOPIC.where(_PLACE < _OWN_PLACE).order_by(col(Article.created_at).desc(), col(Article.id).desc())
_FOLLOWING = _ON_TOPIC.where(_PLACE > _OWN_PLACE).order_by(col(Article.created_at), col(Article.id))


def twins(session: Session, article: Article) -> list[Named]:
    """Return the other members of the article's translation group: chains are followed, aliases are understood."""
    return named_by(session, _twins_statement(), {"article_id": article.id})


def neighbours(session: Session, article: Article, tag: str) -> tuple[Named | None, Named | None]:
    """Return the articles of the same topic and language that came just before and just after this one."""
    lang = article.lang.split("-")[0]
    same = {"moment": article.created_at, "id": article.id, "tag": tag, "lang": lang, "regional": f"{lang}-%"}
    previous, following = named_by(session, _PREVIOUS, same), named_by(session, _FOLLOWING, same)
    return previous[0] if previous else None, following[0] if following else None


def pinned_slugs(session: Session, article_id: int) -> list[str]:
    """Return the slugs that the author named as related, in order."""
    return list(session.connection().execute(_PINNED, {"article_id": article_id}).scalars())


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
    return NAMED.where(*twins).order_by(Article.lang, Article.slug)
