"""Who comes from an OpenID Connect provider, and which account that is."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from app.content.plain import one_line
from app.errors import Forbidden, InvalidFields, InvalidInput, NotFound
from app.models import Account, LinkedIdentity, Role
from app.models.columns import now
from app.services.accounts import MAX_NAME, UNSEEN, add, checked_email, id_of
from app.services.openid import Identity
from app.storage import accounts, audit, identities
from app.storage.database import Database


def account_for(database: Database, identity: Identity, *, is_open: bool) -> Account | None:
    """Return the account of who comes from the provider, made now where everybody may sign up.

    Returns None when there is an account with the same email address that a password opens: whoever comes has to
    prove that it is theirs, because neither this site nor every provider has checked who reads that address.
    Raises InvalidInput when the provider tells no address, Forbidden when there is no account and nobody may sign up.
    """
    known = linked_account(database, identity)
    if known is not None:
        return known
    email = _email_of(identity)
    try:
        return _account_by_email(database, identity, email, is_open=is_open)
    except IntegrityError:  # the same person in another window was faster
        return linked_account(database, identity)


def _account_by_email(database: Database, identity: Identity, email: str, *, is_open: bool) -> Account | None:
    with database.write() as session:
        known = identities.account_of(session, identity.issuer, identity.subject)
        if known is not None:  # meanwhile
            return known
        account = accounts.by_email(session, email)
        if account is None:
            if not is_open:
                raise Forbidden("There is no account for %(email)s here. Ask the site's administrators.", email=email)
            account = add(session, email=email, name=_name_of(identity), password_hash=None, role=Role.CONTRIBUTOR)
            audit.record(session, account, "sign-up", email, identity.issuer)
        elif account.password_hash is not None:
            return None
        elif not identity.is_email_verified or _is_of_another(session, account, identity):
            raise Forbidden("There is another account for %(email)s here. Ask the site's administrators.", email=email)
        _link(session, account, identity)
    return account


def linked_account(database: Database, identity: Identity) -> Account | None:
    """Return the account that an identity opens already, else None."""
    with database.read() as session:
        return identities.account_of(session, identity.issuer, identity.subject)


def link(database: Database, account: Account, identity: Identity) -> None:
    """Let an identity open an account from now on; raise InvalidInput when it opens another one."""
    with database.write() as session:
        known = identities.account_of(session, identity.issuer, identity.subject)
        if known is None:
            _link(session, account, identity)
        elif known.id != account.id:
            raise InvalidInput("This sign-in method already belongs to another account here.")


def unlink(database: Database, account: Account, identity_id: int) -> None:
    """Let an identity no longer open an account; raise InvalidInput when nothing else would."""
    with database.write() as session:
        found = identities.get_of_account(session, id_of(account), identity_id)
        if found is None:
            raise NotFound("There is no such sign-in method.")
        if session.get_one(Account, account.id).password_hash is None:
            raise InvalidInput("Set a password first: there would be no other way to sign in.")
        session.delete(found)
        audit.record(session, account, "unlink", account.email, found.issuer)


def _is_of_another(session: Session, account: Account, identity: Identity) -> bool:
    """Say whether an account has another owner at the same provider: addresses are given away again."""
    return any(each.issuer == identity.issuer for each in identities.of_account(session, id_of(account)))


def _link(session: Session, account: Account, identity: Identity) -> None:
    session.add(
        LinkedIdentity(
            account_id=id_of(account),
            issuer=identity.issuer,
            subject=identity.subject,
            email=one_line(identity.email)[:254],
            created_at=now(),
        )
    )
    audit.record(session, account, "link", account.email, identity.issuer)


def _email_of(identity: Identity) -> str:
    try:
        return checked_email(identity.email)
    except InvalidFields as error:
        raise InvalidInput(
            "The site you signed in with did not share your email address. Allow it there, or use a password."
        ) from error


def _name_of(identity: Identity) -> str:
    return one_line(identity.name)[:MAX_NAME].strip(UNSEEN) or identity.email.partition("@")[0][:MAX_NAME]
