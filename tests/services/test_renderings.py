"""Kept renderings: after a new version of the renderer they and the excerpts are made anew."""

from sqlalchemy import text

from app.services.rendering import bring_up_to_date, digest_of
from app.storage import articles, renderings


def test_what_an_older_renderer_made_is_made_anew_once(library):
    database = library.database
    with database.write() as session:
        session.execute(text("UPDATE article SET excerpt = 'old', digest = '1-' || id"))
    told = []
    count = bring_up_to_date(database, lambda *step: told.append(step))
    assert count == told[-1][1] == told[-1][2] > 1
    with database.write() as session:
        renderings.drop_unused(session)
    with database.read() as session:
        article = articles.by_slug(session, "workers-zh")
        assert article.excerpt == "没有谁分配任务：内核让各个进程竞争新的连接。策略不是轮询。"
        assert article.digest == digest_of(article.body, article.lang)
        assert renderings.get(session, article.digest) is not None
    assert bring_up_to_date(database) == 0
