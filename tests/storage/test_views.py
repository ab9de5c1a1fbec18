"""How often articles are read."""

from datetime import date

from sqlalchemy import event
from sqlmodel import select

from app.models import Article, ViewCount
from app.storage import views

DAY = date(2026, 11, 29)
GONE = 1_000_000


def test_views_of_many_articles_add_up_in_one_statement(library):
    with library.database.read() as session:
        ids = [id_ for id_ in session.exec(select(Article.id)) if id_ is not None]
    asked = []
    event.listen(library.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for number in (1, 2):
        with library.database.write() as session:
            views.add(session, DAY, dict.fromkeys([*ids, GONE], number))
    with library.database.read() as session:
        counted = {row.article_id: row.count for row in session.exec(select(ViewCount).where(ViewCount.day == DAY))}
    assert counted == dict.fromkeys(ids, 3)
    assert sum("view_count" in statement for statement in asked[:-1]) == 2
