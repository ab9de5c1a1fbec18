"""Contributing: proposing, publishing, reviewing, with a three-way merge whenever somebody else was faster."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from sqlmodel import Session

from app.content import slugs
from app.content.document import Document, parse_document
from app.content.merging import Conflict, Merged, merge
from app.content.plain import one_line
from app.errors import InvalidFields, InvalidInput, NotFound, OmniracleError, Problem
from app.models import Account, Article, Origin, Proposal, ProposalState, Rendering, Role
from app.models.columns import now
from app.services import publishing
from app.services.accounts import id_of
from app.services.publishing import Edition
from app.services.rendering import make_rendering
from app.storage import articles, audit, proposals, revisions
from app.storage.database import Database

MAX_SOURCE = 1_000_000  # characters; a longer answer is a book
MAX_MESSAGE = 500
_HALVES = re.compile(r"[\ud800-\udfff]")
PRESSED_TWICE = timedelta(minutes=10)
NO_TOPIC = "questions"  # the folder of files of articles without a tag


class EditConflict(OmniracleError):
    """Somebody else has changed the same place; `merged` has both texts, `theirs` is the newest one of the site."""

    def __init__(self, merged: Merged, theirs: str, revision: int) -> None:
        super().__init__("Someone else changed the same passage in the meantime. Choose what is right.")
        self.merged = merged
        self.theirs = theirs
        self.revision = revision


@dataclass(frozen=True)
class Contribution:
    """A text that somebody wants to be an article, or the next revision of one."""

    source: str
    message: str
    base_revision: int = 0  # from which the text comes; 0 for a new article
    slug: str | None = None  # of the article that is changed


@dataclass(frozen=True)
class Outcome:
    """What became of a contribution: published, or waiting for a reviewer."""

    article: Article | None
    proposal: Proposal | None


def contribute(
    database: Database, account: Account, contribution: Contribution, origin: Origin = Origin.WEB
) -> Outcome:
    """Publish a reviewer's contribution, keep anybody else's as a proposal.

    Raises InvalidInput for a text that cannot be used, NotFound for an article that is not there, EditConflict when
    somebody has changed the same place.
    """
    message = checked_message(contribution.message)
    if not Role(account.role).includes(Role.REVIEWER):
        document, _ = checked(contribution.source)
        return Outcome(None, _propose(database, account, contribution, document, message))
    author = Author(account.name, account.id, message, origin)
    contribution, rendering = caught_up(database, contribution)
    with database.write() as session:
        if again := _sent_already(session, account, contribution):
            return Outcome(again, None)
        article = publish(session, contribution, rendering, author)
        action = "revise" if contribution.slug else "create"
        audit.record(session, account, action, article.slug, f"revision {article.revision}")
    return Outcome(article, None)


def _sent_already(session: Session, account: Account, contribution: Contribution) -> Article | None:
    """Return the article that holds exactly this already: a button was pressed twice, or nothing was changed."""
    if contribution.slug is None:
        made = revisions.article_made_since(session, id_of(account), contribution.source, now() - PRESSED_TWICE)
        known = session.get(Article, made) if made else None
        return known if known is not None and known.deleted_at is None else None
    article = articles.find(session, contribution.slug)
    newest = revisions.get(session, article.id or 0, article.revision)
    return article if newest is not None and newest.source == contribution.source else None


def revert(database: Database, account: Account, slug: str, number: int, message: str) -> Outcome:
    """Publish, or propose, an older revision as the newest; raise NotFound when there is none."""
    with database.read() as session:
        article = articles.find(session, slug)
        older = revisions.get(session, article.id or 0, number)
    if older is None:
        raise NotFound("There is no revision %(number)s of this answer.", number=number)
    back = Contribution(older.source, message, article.revision, article.slug)
    try:
        return contribute(database, account, back)
    except EditConflict as error:  # somebody has just changed it
        raise InvalidInput("This answer has just changed. Look at the current version first.") from error


def caught_up(database: Database, contribution: Contribution) -> tuple[Contribution, Rendering]:
    """Return a contribution with what others have changed since, and its rendering.

    Both take their time, and so they are made before anything is locked.

    Raises InvalidInput for a text that cannot be used, and what `merged_with_newest` raises.
    """
    _check_text(contribution.source)
    if contribution.slug is not None:
        with database.read() as session:
            if articles.find(session, contribution.slug).revision != contribution.base_revision:
                source, newest = merged_with_newest(session, contribution)
                contribution = replace(contribution, source=source, base_revision=newest)
    return contribution, checked(contribution.source)[1]


def merged_with_newest(session: Session, contribution: Contribution) -> tuple[str, int]:
    """Return the text with what others have changed since, and the revision that it now follows.

    Raises EditConflict when the same place was changed, NotFound when the article or the base is not there.
    """
    article = articles.find(session, contribution.slug or "")
    assert article.id is not None
    newest = revisions.get(session, article.id, article.revision)
    base = revisions.get(session, article.id, contribution.base_revision)
    if newest is None or base is None:
        raise NotFound("There is no revision %(number)s of this answer.", number=contribution.base_revision)
    merged = merged_by_blocks(base.source, contribution.source, newest.source)
    if any(isinstance(piece, Conflict) for piece in merged):
        raise EditConflict(merged, newest.source, article.revision)
    return "".join(str(piece) for piece in merged), article.revision


def merged_by_blocks(base: str, ours: str, theirs: str) -> Merged:
    """Return the merge of three sources; the whole is a conflict where the merged text would be no document."""
    merged = merge(base, ours, theirs)
    if not any(isinstance(piece, Conflict) for piece in merged):
        try:
            parse_document("".join(str(piece) for piece in merged), default_slug="")
        except InvalidInput:  # each has added the same key to the front matter
            return [Conflict(base, ours, theirs)]
    return merged


def checked(source: str) -> tuple[Document, Rendering]:
    """Return a source as a document and its rendering; raise InvalidInput for one that cannot be used."""
    _check_text(source)
    document = parse_document(source, default_slug="")
    if not document.body.strip():
        raise InvalidFields(Problem("body", "Write an answer."))
    return document, make_rendering(document.body, document.lang)


def refuse_long(length: int) -> None:
    """Raise InvalidInput for more characters than an answer may have."""
    if length > MAX_SOURCE:
        raise InvalidInput(
            "This answer has %(length)s characters; the limit is %(most)s. Split it into several answers.",
            length=f"{length:,}",
            most=f"{MAX_SOURCE:,}",
        )


def _check_text(source: str) -> None:
    refuse_long(len(source))
    if _HALVES.search(source):
        raise InvalidInput("This text contains broken characters. Type them again.")


def checked_message(message: str) -> str:
    """Return what was changed and why, on one line; raise InvalidFields when it is too long."""
    message = one_line(message)
    if len(message) > MAX_MESSAGE:
        raise InvalidFields(Problem("message", "Use at most %(most)s characters.", {"most": MAX_MESSAGE}))
    return message


@dataclass(frozen=True)
class Author:
    """Who a revision is of, and what they say about it."""

    name: str
    account_id: int | None
    message: str
    origin: Origin


def publish(session: Session, contribution: Contribution, rendering: Rendering, author: Author) -> Article:
    """Publish a contribution that has caught up, and return the article.

    It is merged once more when somebody has published in that very moment. Raises EditConflict when the same place was
    changed, NotFound when the article is not there.
    """
    if contribution.slug is None:
        return publishing.create(session, _edition(session, contribution.source, rendering, author))
    article = articles.find(session, contribution.slug)
    source = contribution.source
    if article.revision != contribution.base_revision:
        source, _ = merged_with_newest(session, contribution)
        _, rendering = checked(source)
    publishing.revise(session, article, _edition(session, source, rendering, author, article))
    return article


def _edition(
    session: Session, source: str, rendering: Rendering, author: Author, article: Article | None = None
) -> Edition:
    document = parse_document(source, default_slug="")
    slug = article.slug if article else slugs.slugify(document.title)
    return Edition(
        document=document,
        source=source,
        path=article.path if article else _new_path(session, document, slug),
        default_slug=slug,
        rendering=rendering,
        origin=author.origin,
        author=author.name,
        author_id=author.account_id,
        message=author.message,
    )


def _new_path(session: Session, document: Document, slug: str) -> str:
    folder = slugs.slugify(document.tags[0]) if document.tags else NO_TOPIC
    names = (f"{folder}/{document.slug or slug}{f'-{number}' if number > 1 else ''}.md" for number in count(1))
    return next(path for path in names if not articles.path_is_taken(session, path))


def _propose(
    database: Database, account: Account, contribution: Contribution, document: Document, message: str
) -> Proposal:
    with database.write() as session:
        article = articles.find(session, contribution.slug or "") if contribution.slug else None
        if article is not None and revisions.get(session, article.id or 0, contribution.base_revision) is None:
            raise NotFound("There is no revision %(number)s of this answer.", number=contribution.base_revision)
        article_id = article.id if article else None
        if again := proposals.same_pending(session, id_of(account), article_id, contribution.source):
            return again  # the button was pressed twice
        proposal = Proposal(
            article_id=article_id,
            base_revision=contribution.base_revision,
            source=contribution.source,
            title=document.title,
            lang=document.lang,
            message=message,
            author_id=id_of(account),
            author=account.name,
            state=ProposalState.PENDING,
            created_at=now(),
        )
        session.add(proposal)
        audit.record(session, account, "propose", article.slug if article else document.title)
    return proposal
