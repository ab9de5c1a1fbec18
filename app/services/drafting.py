"""Drafts: what people are writing. Two windows with the same answer never write over each other's.

A draft is known by its name: what it is a draft of ("new", "article-5"), or that and the window that began it. A window
goes on with the draft that it was opened with, unless another window has changed it meanwhile: then it gets its own.
"""

from dataclasses import dataclass

from sqlmodel import Session

from app.content.document import MAX_TITLE
from app.errors import InvalidFields, InvalidInput, Problem
from app.models import Account, Article, Draft, Proposal, ProposalState
from app.models.columns import now
from app.services.contributing import refuse_long
from app.storage import drafts
from app.storage.database import Database

MAX_DRAFTS = 50  # of an account

Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Place:
    """Where a window of the editor keeps its draft."""

    target: str  # what it is a draft of
    window: str  # a random name
    name: str  # of the draft that the window was opened with, or would have begun
    seen: str  # the `stamp` of that draft, empty when there was none

    @property
    def own_name(self) -> str:
        """The name of a draft that no other window writes."""
        return f"{self.target}~{self.window}"


def stamp(draft: Draft) -> str:
    """Return what changes whenever a draft does."""
    return draft.updated_at.isoformat()


def keep(database: Database, account_id: int, place: Place, fields: Fields) -> Draft:
    """Keep what a window holds, and return the draft that it became.

    Raises InvalidInput for what is too long, and for one draft too many.
    """
    _refuse_long(fields)
    with database.write() as session:
        own, named = (drafts.get(session, account_id, name) for name in (place.own_name, place.name))
        is_free = own is None and _is_of(place, named)
        name = place.name if is_free else place.own_name
        if (named if is_free else own) is None:
            _make_sure_of_room(session, account_id)
        return drafts.put(
            session,
            Draft(account_id=account_id, target=name, window=place.window, fields=fields, updated_at=now()),
        )


def editor_of(session: Session, draft: Draft) -> str | None:
    """Return the address at which somebody goes on with a draft; None when there is nothing to go on with."""
    kind, _, number = draft.target.partition("~")[0].partition("-")
    match kind:
        case "article":
            article = session.get(Article, int(number))
            return f"/questions/{article.slug}/edit" if article is not None and article.deleted_at is None else None
        case "proposal":
            proposal = session.get(Proposal, int(number))
            is_waiting = proposal is not None and proposal.state == ProposalState.PENDING
            return f"/proposals/{number}/edit" if is_waiting else None
    return "/contribute"


def finish(database: Database, account_id: int, place: Place) -> None:
    """Forget the draft of a window whose text was saved; other windows keep theirs."""
    with database.write() as session:
        drafts.drop(session, account_id, place.own_name)
        if _is_of(place, drafts.get(session, account_id, place.name)):
            drafts.drop(session, account_id, place.name)


def _refuse_long(fields: Fields) -> None:
    """Refuse what no answer may have; a text is not too long by what stands beside it, which is counted apart."""
    written = dict(fields)
    if len(written.get("title", "")) > MAX_TITLE:  # lists show it
        raise InvalidFields(Problem("title", "Use at most %(most)s characters.", {"most": MAX_TITLE}))
    body = len(written.get("body", ""))
    refuse_long(max(body, sum(len(value) for _, value in fields) - body))


def _make_sure_of_room(session: Session, account_id: int) -> None:
    session.get(Account, account_id, with_for_update=True)  # two new drafts at once: the second counts the first
    if drafts.count(session, account_id) >= MAX_DRAFTS:
        raise InvalidInput(
            "You have %(most)s drafts, and no more can be kept. Discard one of them under “Your contributions”, then "
            "save this one again.",
            most=MAX_DRAFTS,
        )


def _is_of(place: Place, draft: Draft | None) -> bool:
    """Say whether a draft is the window's to change: its own, or as it was when the window was opened."""
    return draft is None or draft.window == place.window or stamp(draft) == place.seen
