"""Signing in through an OpenID Connect provider."""

import hmac
import json
import time
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.errors import Forbidden, InvalidFields, InvalidInput, NotFound, OmniracleError, Problem, ProviderUnavailable
from app.models import Account
from app.models.columns import now
from app.services import accounts, identities, second_factor
from app.services.limits import SIGN_IN_FROM
from app.services.openid import Identity, OpenIdProvider
from app.services.proving import PROOF_LIFETIME, note_proof
from app.services.sealing import LIFETIME_S, seal, unseal
from app.web.access import PUBLIC, address_of, count_sign_in, open_session, session_of
from app.web.forms import Form as FilledForm
from app.web.notices import lead_to
from app.web.parameters import RowId, local_path
from app.web.proving import ProvedSignedIn, check_proof
from app.web.routes.sign_in import sign_in_page
from app.web.state import Here, State
from app.web.templating import base_url, render

router = APIRouter(include_in_schema=False)

PATH = "/sign-in/openid"
PROOF_COOKIE = "omniracle_openid"
MAX_NEXT = 1500  # bytes
TOO_LATE = "This sign-in took too long or was started elsewhere. Start again."
_BEGUN, _PROVED = "openid-begun", "openid-proved"  # what is sealed, so that none can be used for another


@router.get(PATH, dependencies=[PUBLIC])
def begin(request: Request, here: Here, next: str = "/") -> Response:  # noqa: A002  the parameter's name in the address
    """Send the browser to the provider; what has to be known when it returns stays with the browser, signed."""
    here.limits.count(SIGN_IN_FROM, address_of(request))
    try:
        # Who is signed in already comes to prove it, or to connect: the provider must not just say that it knows them.
        is_signed_in = session_of(request) is not None
        begun = _provider(here).begin(_callback(request), anew=is_signed_in)
    except ProviderUnavailable as error:
        return _failed(request, here, error, next)
    response = RedirectResponse(begun.url, 303, {"Cache-Control": "no-store"})
    kept = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier, "next": _short_path(next)}
    kept["since"] = str(time.time() if is_signed_in else 0)
    _keep(response, _cookie(begun.state), seal(here.secret, _BEGUN, kept))
    return response


@router.get(f"{PATH}/callback", dependencies=[PUBLIC])
def finish(request: Request, here: Here, state: str = "") -> Response:
    """Sign in who comes back from the provider, or ask for what is still to be proved."""
    provider = _provider(here)
    begun = unseal(here.secret, _BEGUN, request.cookies.get(_cookie(state), ""))
    if begun is None or not hmac.compare_digest(begun["state"].encode(), state.encode("utf-8", "replace")):
        return _failed(request, here, InvalidInput(TOO_LATE))
    here.limits.count(SIGN_IN_FROM, address_of(request))
    try:
        answer, since = dict(request.query_params), float(begun.get("since", 0))
        proof = {"nonce": begun["nonce"], "verifier": begun["verifier"]}
        identity = provider.finish(_callback(request), answer, **proof, since=since)
        response = _welcome(request, here, identity, begun["next"], was_asked_anew=since > 0)
    except (InvalidInput, Forbidden, ProviderUnavailable) as problem:
        here.security_log.refuse(request, "not-proved-by-provider", None)
        response = _failed(request, here, problem, begun["next"])
    response.delete_cookie(_cookie(state), path=PATH, httponly=True, samesite="lax")
    return response


@router.get(f"{PATH}/connection", dependencies=[PUBLIC])
def ask(request: Request, here: Here) -> Response:
    """Ask whether, or how, the account belongs to who was proved at the provider."""
    proved = _proved(request, here)
    if proved is None:
        return _failed(request, here, InvalidInput(TOO_LATE))
    return _connection_page(request, here, proved)


@router.post(f"{PATH}/connection", dependencies=[PUBLIC])
def connect(request: Request, here: Here, password: Annotated[str, Form()] = "") -> Response:
    """Let who was proved at the provider open the account that is signed in, or that the password opens."""
    proved = _proved(request, here)
    if proved is None:
        return _failed(request, here, InvalidInput(TOO_LATE))
    identity, following = proved
    key = session_of(request)
    try:
        if key is not None:
            check_proof(request, key, password)
            account = key.account
        else:
            count_sign_in(request, identity.email)
            account = _account_by_password(request, here, identity.email, password)
        identities.link(here.database, account, identity)
    except InvalidInput as error:
        return _connection_page(request, here, proved, error)
    response = lead_to(following, "connected")
    response.delete_cookie(PROOF_COOKIE, path=PATH, httponly=True, samesite="lax")
    if key is None:
        open_session(request, response, account)
    return response


@router.post("/account/identities/{identity_id}/removal")
def disconnect(here: Here, key: ProvedSignedIn, identity_id: RowId) -> Response:
    """Let a sign-in at the provider no longer open the account."""
    identities.unlink(here.database, key.account, identity_id)
    return lead_to("/account", "disconnected")


def _welcome(request: Request, here: State, identity: Identity, following: str, *, was_asked_anew: bool) -> Response:
    """Answer who was proved: sign them in, or ask whether and how the account is theirs."""
    key = session_of(request)
    response = RedirectResponse(following, 303, {"Cache-Control": "no-store"})
    if key is not None:
        linked = identities.linked_account(here.database, identity)
        if linked is None or linked.id != key.account.id:
            return _lead_on(here, identity, following)
        if not was_asked_anew:  # they have signed in since this was begun
            return response
        note_proof(here.database, key)
        return lead_to(following, "proved")
    account = identities.account_for(here.database, identity, is_open=here.settings.registration == "open")
    if account is None:
        return _lead_on(here, identity, following)
    open_session(request, response, account, _proved_at(identity))
    return response


def _proved_at(identity: Identity) -> datetime:
    """Return when who comes from the provider signed in there; where it just knew them still, that proves nothing."""
    moment = now()
    longest_ago = moment - PROOF_LIFETIME
    return min(moment, max(longest_ago, identity.signed_in_at or longest_ago))


def _lead_on(here: State, identity: Identity, following: str) -> Response:
    """Lead to the question; what was proved stays with the browser, signed."""
    response = RedirectResponse(f"{PATH}/connection", 303, {"Cache-Control": "no-store"})
    proof = {"issuer": identity.issuer, "subject": identity.subject, "email": identity.email, "next": following}
    _keep(response, PROOF_COOKIE, seal(here.secret, _PROVED, proof))
    return response


def _proved(request: Request, here: State) -> tuple[Identity, str] | None:
    """Return who was proved a moment ago, and where they want to go; None when it is too late."""
    proof = unseal(here.secret, _PROVED, request.cookies.get(PROOF_COOKIE, ""))
    if proof is None:
        return None
    identity = Identity(proof["issuer"], proof["subject"], proof["email"], is_email_verified=False, name="")
    return identity, local_path(proof["next"])


def _account_by_password(request: Request, here: State, email: str, password: str) -> Account:
    try:
        account = accounts.sign_in(here.database, email, password)
    except InvalidInput as error:
        here.security_log.refuse_password(request, email)
        raise InvalidFields(Problem("password", "This is not the password for that account.")) from error
    if second_factor.is_on(here.database, account):
        message = (
            "This account also asks for a code: sign in with the password first, then connect on your account page."
        )
        raise InvalidFields(Problem("password", message))
    return account


def _connection_page(
    request: Request, here: State, proved: tuple[Identity, str], error: OmniracleError | None = None
) -> Response:
    identity, following = proved
    return render(
        request,
        "connect.html",
        status_code=400 if error else 200,
        headers={"Cache-Control": "no-store"},
        form=FilledForm({}, error),
        identity=identity,
        provider=_provider(here).name,
        next=following,
    )


def _failed(request: Request, here: State, error: OmniracleError, following: str = "/") -> Response:
    status = {ProviderUnavailable: 503, Forbidden: 403}.get(type(error), 400)
    return sign_in_page(request, here, FilledForm({}, error), following, status)


def _provider(here: State) -> OpenIdProvider:
    if here.provider is None:
        raise NotFound("There is nothing at this address.")
    return here.provider


def _callback(request: Request) -> str:
    return f"{base_url(request)}{PATH}/callback"


def _keep(response: Response, name: str, sealed: str) -> None:
    response.set_cookie(name, sealed, max_age=LIFETIME_S, path=PATH, httponly=True, samesite="lax")


def _short_path(path: str) -> str:
    """Return where to go on, else the home page: browsers drop cookies over 4 kB."""
    return local_path(path) if len(json.dumps(path)) < MAX_NEXT else "/"


def _cookie(state: str) -> str:
    # By its beginning: two windows may be on their way at the same time.
    return f"omniracle_openid_{''.join(sign for sign in state[:8] if sign.isascii() and sign.isalnum())}"
