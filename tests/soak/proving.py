"""After a fault: is everything there that was acknowledged, whole, in the history, and found?"""

import json
import sqlite3
import time
from contextlib import closing
from hashlib import sha256
from urllib.parse import quote

from app.search.index import SearchIndex
from tests.soak.installation import Installation
from tests.soak.ledger import Ledger, Question, Text

HEALED_WITHIN_S = 45  # the regular work comes every five seconds; a rebuilt index takes its time on a busy machine
SAMPLE = 40  # of what was proved before

ROWS = """
SELECT article.id, article.slug, article.body, article.revision, article.deleted_at IS NOT NULL,
    (SELECT count(*) FROM article_tag WHERE article_id = article.id),
    (SELECT count(*) FROM article_resource WHERE article_id = article.id)
FROM article
"""


def prove(site: Installation, ledger: Ledger, *, everything: bool = False) -> int:
    """Note in the ledger what is lost, half there or not found; return how many questions were looked at.

    What was in doubt is known afterwards: it happened as a whole, or not at all.
    """
    deadline = time.monotonic() + HEALED_WITHIN_S
    _wait_until_indexed(site, ledger, deadline)
    with closing(sqlite3.connect(site.data / "omniracle.db", timeout=30)) as database:
        _prove_database(database, ledger)
        _prove_questions(database, ledger)
        _prove_drafts(database, ledger)
    _prove_images(site, ledger)
    settled = [question for question in ledger.questions.values() if question.is_settled]
    new = [question for question in ledger.questions.values() if not question.is_settled]
    looked_at = new + (settled if everything else settled[:: max(1, len(settled) // SAMPLE)])
    for question in looked_at:
        _prove_by_asking(site, ledger, question, deadline)
        question.is_settled = True
    _prove_by_check(site, ledger, deadline)
    return len(looked_at)


def _wait_until_indexed(site: Installation, ledger: Ledger, deadline: float) -> None:
    waiting: object = "unknown"
    while time.monotonic() < deadline:
        try:
            with closing(sqlite3.connect(site.data / "omniracle.db", timeout=30)) as database:
                (last,) = database.execute("SELECT coalesce(max(id), 0) FROM index_job").fetchone()
            waiting = last - SearchIndex(site.data / "index").position()
            if not waiting and site.ask("GET", "/readyz").status == 200:
                return
        except (OSError, sqlite3.Error) as error:
            waiting = error
        time.sleep(0.2)
    ledger.violated(f"{HEALED_WITHIN_S} s after the fault the site is not well: {waiting!r} jobs wait for the index")


def _prove_database(database: sqlite3.Connection, ledger: Ledger) -> None:
    if (said := database.execute("PRAGMA integrity_check(3)").fetchall()) != [("ok",)]:
        ledger.violated(f"the database is damaged: {said}")
    if said := database.execute("PRAGMA foreign_key_check").fetchall():
        ledger.violated(f"rows lead to nothing: {said[:3]}")


def _prove_questions(database: sqlite3.Connection, ledger: Ledger) -> None:
    rows = {row[1]: row for row in database.execute(ROWS)}
    sources: dict[int, dict[int, str]] = {}
    for article, number, source in database.execute("SELECT article_id, number, source FROM revision"):
        sources.setdefault(article, {})[number] = source
    for question in list(ledger.questions.values()):
        row = rows.pop(question.slug, None)
        if row is None:
            if question.revisions:
                ledger.count("lost", len(question.revisions))
                ledger.violated(f"{question.slug} is lost")
            del ledger.questions[question.slug]
            continue
        article, _, body, revision, is_deleted, tags, resources = row
        _settle(question, revision, is_deleted=bool(is_deleted))
        told = [text.body for text in question.revisions]
        kept = sources.get(article, {})
        missing = [text for number, text in enumerate(told, 1) if not kept.get(number, "").endswith(text)]
        if missing or bool(is_deleted) != question.is_deleted:
            ledger.count("lost", len(missing) + (bool(is_deleted) != question.is_deleted))
            ledger.violated(f"{question.slug}: {len(missing)} revisions lost, deleted {is_deleted}: {question}"[:600])
        if body != told[-1] or sorted(kept) != list(range(1, revision + 1)) or revision != len(told):
            ledger.violated(f"{question.slug} is half there: revision {revision} of {sorted(kept)}, told {len(told)}")
        if tags != 2 or resources != 1:
            ledger.violated(f"{question.slug} is half there: {tags} topics, {resources} resources")
    for slug in rows:
        ledger.violated(f"{slug} is there, and nobody has written it")


def _settle(question: Question, revision: int, *, is_deleted: bool) -> None:
    """Find out whether what is in doubt has happened."""
    if isinstance(question.doubt, Text) and revision == len(question.revisions) + 1:
        question.revisions.append(question.doubt)
    if question.doubt in ("deleted", "restored"):
        question.is_deleted = is_deleted
    if question.doubt is not None:
        question.doubt, question.is_settled = None, False


def _prove_drafts(database: sqlite3.Connection, ledger: Ledger) -> None:
    rows = database.execute("SELECT account_id, target, fields FROM draft")
    kept = {(account, target): dict(json.loads(fields))["body"] for account, target, fields in rows}
    for name, bodies in list(ledger.drafts.items()):
        body = kept.get(name)
        if body is None and name not in ledger.kept_drafts:  # none of those in doubt was kept
            del ledger.drafts[name]
        elif body not in bodies:
            ledger.count("lost")
            ledger.violated(f"the draft {name} is {'lost' if body is None else 'another one'}")
        else:
            bodies[:] = [body]
            ledger.kept_drafts.add(name)


def _prove_images(site: Installation, ledger: Ledger) -> None:
    for url in sorted(ledger.images):
        name = url.rpartition("/")[2]
        file = site.settings.images_dir / name[:2] / name
        if not file.is_file() or sha256(file.read_bytes()).hexdigest()[:32] != name[:32]:
            ledger.count("lost")
            ledger.violated(f"the image {name} is lost")


def _prove_by_asking(site: Installation, ledger: Ledger, question: Question, deadline: float) -> None:
    while (problem := _trouble_with(site, question)) is not None and time.monotonic() < deadline:
        time.sleep(0.5)
    if problem is not None:
        ledger.count("not found" if "search" in problem else "not shown")
        ledger.violated(problem)


def _prove_by_check(site: Installation, ledger: Ledger, deadline: float) -> None:
    """Note what `omniracle check` names that it did not name before anything had happened."""
    while (named := site.troubles() - site.usual_troubles) and time.monotonic() < deadline:
        time.sleep(0.5)
    for message in named:
        ledger.violated(f"`omniracle check` names: {message}")


def _trouble_with(site: Installation, question: Question) -> str | None:
    """Return what the site says wrong of a question; None when all is well."""
    try:
        return _shown_wrong(site, question) or _found_wrong(site, question)
    except OSError as error:  # the worker that answered has met a damaged index, for example
        return f"{question.slug} is not answered: {error!r}"


def _shown_wrong(site: Installation, question: Question) -> str | None:
    newest = question.revisions[-1]
    answer = site.ask("GET", f"/api/v1/questions/{question.slug}")
    if question.is_deleted:
        return None if answer.status == 410 else f"{question.slug} is deleted, and answers {answer.status}"
    if answer.status != 200 or json.loads(answer.body)["body_markdown"] != newest.body:
        return f"{question.slug} answers {answer.status} with another text"
    page = site.ask("GET", f"/questions/{question.slug}", headers={"Accept": "text/html"})
    if newest.word.encode() not in page.body:
        return f"the page of {question.slug} has not its newest text: {page.status}"
    history = site.ask("GET", f"/questions/{question.slug}/history")
    if history.body.count(b"/revisions/") < min(len(question.revisions), 50):
        return f"the history of {question.slug} is not whole"
    return None


def _found_wrong(site: Installation, question: Question) -> str | None:
    newest, wanted = question.revisions[-1], [] if question.is_deleted else [question.slug]
    if (found := _found(site, newest.word)) != wanted:
        return f"a search for {newest.word} finds {found}, not {wanted}"
    for old in question.revisions[1:-1][-2:]:  # the first one's word is in the title for ever
        if found := _found(site, old.word):
            return f"a search for {old.word}, which {question.slug} has no more, finds {found}"
    return None


def _found(site: Installation, word: str) -> list[str]:
    answer = site.ask("GET", f"/api/v1/search?q={quote(chr(34) + word + chr(34))}")
    if answer.status != 200:
        return [f"status {answer.status}"]
    found = json.loads(answer.body)
    return [hit["slug"] for hit in found["hits"]] if found["total"] else []
