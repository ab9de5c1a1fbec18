"""Reviewing proposals: approving, rejecting; and what their authors can still do with them."""

import hashlib

from sqlmodel import Session

from app.content.plain import some_lines
from app.errors import Forbidden, InvalidFields, InvalidInput, NotFound, Problem
from app.models import Account, Origin, Proposal, ProposalState, Role
from app.models.columns import now
from app.services.contributing import Author, Contribution, Outcome, caught_up, checked, checked_message, publish
from app.storage import audit, proposals
from app.storage.database import Database

MAX_REASON = 2000


class ProposalChanged(InvalidInput):
    """A proposal is not what somebody has seen any more."""

    def __init__(self) -> None:
        super().__init__("This proposal has changed since you opened it. Look at the current version first.")


def version_of(proposal: Proposal) -> str:
    """Return a name of a proposal's text as it is now, to tell whether it is still what somebody has seen."""
    return hashlib.sha256(f"{proposal.source}\0{proposal.message}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def approve(
    database: Database,
    reviewer: Account,
    proposal_id: int,
    *,
    seen: str,
    edited: Contribution | None = None,
) -> Outcome:
    """Publish a proposal, of which the reviewer has seen the version `seen`, or `edited` in its place.

    Raises NotFound when there is none that waits, InvalidInput when it is not what was seen any more, EditConflict when
    the article has changed in the same place.
    """
    with database.read() as session:
        proposal = _waiting(session, proposal_id, seen)
        changed = proposals.article_of(session, proposal)
    contribution = edited or Contribution(
        proposal.source, proposal.message, proposal.base_revision, changed.slug if changed else None
    )
    contribution, rendering = caught_up(database, contribution)
    with database.write() as session:
        proposal = _waiting(session, proposal_id, seen)
        author = Author(proposal.author, proposal.author_id, checked_message(contribution.message), Origin.WEB)
        article = publish(session, contribution, rendering, author)
        _decide(proposal, ProposalState.APPROVED, reviewer)
        proposal.article_id, proposal.revision = article.id, article.revision
        session.add(proposal)
        how = ", with changes" if edited else ""
        audit.record(session, reviewer, "approve", article.slug, f"proposal {proposal_id} of {proposal.author}{how}")
    return Outcome(article, proposal)


def reject(database: Database, reviewer: Account, proposal_id: int, reason: str) -> None:
    """Reject a proposal with a reason that its author reads; raise InvalidFields without one."""
    reason = some_lines(reason)
    if not reason or len(reason) > MAX_REASON:
        message = "Tell the author why, in up to %(most)s characters."
        raise InvalidFields(Problem("reason", message, {"most": MAX_REASON}))
    with database.write() as session:
        proposal = _waiting(session, proposal_id)
        _decide(proposal, ProposalState.REJECTED, reviewer)
        proposal.reason = reason
        session.add(proposal)
        audit.record(session, reviewer, "reject", proposal.title, f"proposal {proposal_id}: {reason}")


def withdraw(database: Database, account: Account, proposal_id: int) -> None:
    """Take one's own proposal back."""
    with database.write() as session:
        proposal = _waiting(session, proposal_id)
        _refuse_foreign(proposal, account)
        _decide(proposal, ProposalState.WITHDRAWN, account)
        session.add(proposal)
        audit.record(session, account, "withdraw", proposal.title, f"proposal {proposal_id}")


def amend(database: Database, account: Account, proposal_id: int, contribution: Contribution, *, seen: str) -> Proposal:
    """Change one's own proposal that waits, of which the version `seen` was changed, and return it."""
    document, _ = checked(contribution.source)
    with database.write() as session:
        proposal = _waiting(session, proposal_id, seen)
        _refuse_foreign(proposal, account)
        proposal.source, proposal.title, proposal.lang = contribution.source, document.title, document.lang
        proposal.message = checked_message(contribution.message)
        proposal.base_revision = contribution.base_revision
        session.add(proposal)
        audit.record(session, account, "amend", proposal.title, f"proposal {proposal_id}")
    return proposal


def may_see(account: Account, proposal: Proposal) -> bool:
    """Say whether a proposal, which is not public, may be seen: by its author and by reviewers."""
    return proposal.author_id == account.id or Role(account.role).includes(Role.REVIEWER)


def _waiting(session: Session, proposal_id: int, seen: str | None = None) -> Proposal:
    proposal = proposals.get(session, proposal_id)
    if proposal is None:
        raise NotFound("There is no such proposal.")
    if proposal.state != ProposalState.PENDING:
        raise InvalidInput("This proposal has already been decided.")
    if seen is not None and seen != version_of(proposal):
        raise ProposalChanged
    return proposal


def _decide(proposal: Proposal, state: ProposalState, by: Account) -> None:
    moment = now()
    proposal.state, proposal.reviewer, proposal.decided_at = state, by.name, moment


def _refuse_foreign(proposal: Proposal, account: Account) -> None:
    if proposal.author_id != account.id:
        raise Forbidden("This proposal belongs to someone else.")
