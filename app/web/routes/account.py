"""A person's own account: name, password, sessions, tokens."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.errors import InvalidFields, InvalidInput, NotFound
from app.models import ApiToken, BrowserSession, Scope
from app.services import accounts
from app.services.accounts import Key, id_of
from app.services.limits import PASSWORD
from app.services.proving import is_proved
from app.storage import audit, identities, keys, second_factors
from app.web.access import SignedIn, open_session
from app.web.forms import Form as FilledForm
from app.web.notices import lead_to
from app.web.parameters import RowId
from app.web.proving import ProvedSignedIn, check_proof
from app.web.state import Here, State
from app.web.templating import render

router = APIRouter(prefix="/account", include_in_schema=False)

Text = Annotated[str, Form()]


@router.get("")
def show(request: Request, here: Here, key: SignedIn) -> Response:
    """Show the account."""
    return account_page(request, here, key)


@router.post("/name")
def rename(request: Request, here: Here, key: SignedIn, name: Text = "") -> Response:
    """Change the name that is shown beside contributions."""
    try:
        accounts.rename(here.database, key.account, name)
    except InvalidFields as error:
        return account_page(request, here, key, FilledForm({"name": name}, error))
    return lead_to("/account", "renamed")


@router.post("/password")
def change_password(request: Request, here: Here, key: SignedIn, old: Text = "", new: Text = "") -> Response:
    """Change the password, end all sessions and tokens, and go on in this browser with a new key."""
    if key.account.password_hash is None:
        check_proof(request, key)
    here.limits.count(PASSWORD, key.account.email)
    try:
        accounts.change_password(here.database, key.account, old=old, new=new)
    except InvalidFields as error:
        if any(each.field == "old" for each in error.problems):
            here.security_log.refuse(request, "wrong-password", key.account)
        return account_page(request, here, key, FilledForm({}, error))
    response = lead_to("/account", "password")
    open_session(request, response, key.account)
    return response


@router.post("/sessions/revocation")
def revoke_sessions(here: Here, key: SignedIn) -> Response:
    """End the sessions of all other browsers."""
    with here.database.write() as session:
        keys.drop_sessions_but(session, id_of(key.account), key.digest)
        audit.record(session, key.account, "session-end", key.account.email)
    return lead_to("/account", "sessions-ended")


@router.post("/sessions/{session_id}/revocation")
def revoke_session(here: Here, key: SignedIn, session_id: RowId) -> Response:
    """End another browser's session."""
    with here.database.write() as session:
        if not keys.drop_own(session, BrowserSession, session_id, id_of(key.account)):
            raise NotFound("There is no such session.")
        audit.record(session, key.account, "session-end", key.account.email)
    return lead_to("/account", "session-ended")


@router.post("/tokens")
def create_token(
    request: Request, here: Here, key: ProvedSignedIn, token_name: Text = "", scope: Text = Scope.READ
) -> Response:
    """Make a token and show it, once."""
    if scope not in list(Scope):
        raise InvalidInput("Choose what the token can do: read, or read and write.")
    try:
        made = accounts.create_token(here.database, key.account, token_name, Scope(scope), by=key.account)
    except InvalidFields as error:
        return account_page(request, here, key, FilledForm({"token_name": token_name}, error))
    return account_page(request, here, key, made=made)


@router.post("/tokens/{token_id}/revocation")
def revoke_token(here: Here, key: SignedIn, token_id: RowId) -> Response:
    """Make a token useless."""
    with here.database.write() as session:
        if not keys.drop_own(session, ApiToken, token_id, id_of(key.account)):
            raise NotFound("There is no such token.")
        audit.record(session, key.account, "token-end", key.account.email)
    return lead_to("/account", "token-revoked")


def account_page(
    request: Request, here: State, key: Key, form: FilledForm | None = None, made: str | None = None
) -> Response:
    """Return the page of an account: with a form that was wrong, or a token that was made."""
    account_id = id_of(key.account)
    with here.database.read() as session:
        sessions = keys.sessions_of_account(session, account_id)
        tokens = keys.tokens_of_account(session, account_id)
        linked = identities.of_account(session, account_id)
        factor = second_factors.of(session, account_id)
    return render(
        request,
        "account.html",
        status_code=400 if form else 200,
        headers={"Cache-Control": "no-store"},
        account=key.account,
        is_proved=is_proved(key),
        sessions=[(known, known.digest == key.digest) for known in sessions],
        tokens=tokens,
        linked=linked,
        factor=factor,
        provider=here.provider.name if here.provider else None,
        issuer=here.settings.oidc_issuer,
        form=form or FilledForm(),
        made=made,
    )
