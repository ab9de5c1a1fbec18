"""How often articles are read."""

from collections.abc import Mapping
from datetime import date

from sqlmodel import Session

from app.models import Article, ViewCount


def add(session: Session, day: date, counts: Mapping[int, int]) -> None:
    """Add `counts` (by article id) to the views of `day`; articles that are gone are passed over."""
    for article_id, number in sorted(counts.items()):
        known = session.get(ViewCount, (article_id, day))
        if known is not None:
            known.count += number
        elif session.get(Article, article_id) is not None:
            session.add(ViewCount(article_id=article_id, day=day, count=number))
