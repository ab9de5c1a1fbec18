"""How often articles are read."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Date, Integer, bindparam, select
from sqlmodel import Session, col

from app.models import Article, ViewCount
from app.storage import upserts


def add(session: Session, day: date, counts: Mapping[int, int]) -> None:
    """Add `counts` (by article id) to the views of `day`; articles that are gone are passed over."""
    if not counts:
        return
    row = select(col(Article.id), bindparam("day", type_=Date), bindparam("number", type_=Integer))
    row = row.where(col(Article.id) == bindparam("article_id", type_=Integer))
    statement = upserts.insert(session, ViewCount).from_select(["article_id", "day", "count"], row)
    statement = statement.on_conflict_do_update(
        index_elements=[col(ViewCount.article_id), col(ViewCount.day)],
        set_={"count": col(ViewCount.count) + statement.excluded.count},
    )
    # All in one go: whoever saves waits meanwhile.
    rows = [{"article_id": article_id, "day": day, "number": number} for article_id, number in sorted(counts.items())]
    session.connection().execute(statement, rows)
