"""Deleting answers and restoring them. What is deleted leaves a tombstone: its history stays, its pages are gone."""

from app.content.plain import one_line
from app.errors import InvalidFields, NotFound, Problem
from app.models import Account, Article
from app.models.columns import now
from app.storage import articles, audit, jobs
from app.storage.database import Database

MAX_REASON = 500


def delete(database: Database, account: Account, slug: str, reason: str) -> None:
    """Delete an article for a reason; raise NotFound when there is none, InvalidFields without a reason."""
    reason = one_line(reason)
    if not reason or len(reason) > MAX_REASON:
        raise InvalidFields(Problem("reason", "Give a reason of up to %(most)s characters.", {"most": MAX_REASON}))
    with database.write() as session:
        article = articles.by_slug(session, slug)
        if article is None or article.id is None:
            raise NotFound("There is no question at this address.")
        article.deleted_at = now()
        session.add(article)
        jobs.add(session, article.id)
        audit.record(session, account, "delete", article.slug, reason)


def restore(database: Database, account: Account, slug: str) -> Article:
    """Bring a deleted article back and return it; raise NotFound when there is none."""
    with database.write() as session:
        article = articles.deleted(session, slug)
        if article is None or article.id is None:
            raise NotFound("There is no deleted answer at this address.")
        article.deleted_at = None
        session.add(article)
        jobs.add(session, article.id)
        audit.record(session, account, "restore", article.slug)
    return article
