"""A second factor beside the password: setting it up, turning it off, and asking for it when somebody signs in."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from app.errors import InvalidFields, InvalidInput
from app.models import Account
from app.services import second_factor
from app.services.accounts import Key, id_of
from app.services.limits import PASSWORD, SIGN_IN_FROM
from app.services.sealing import seal, unseal
from app.storage import accounts
from app.web.access import PUBLIC, SignedIn, address_of, open_session
from app.web.forms import Form as FilledForm
from app.web.notices import lead_to
from app.web.parameters import local_path
from app.web.proving import ProvedSignedIn
from app.web.routes.account import account_page
from app.web.state import Here, State
from app.web.templating import render

router = APIRouter(include_in_schema=False)

PATH = "/account/second-factor"
_HALF = "half-signed-in"  # what is sealed, so that nothing else can be taken for it

Text = Annotated[str, Form()]


@router.get(PATH)
def show(request: Request, here: Here, key: SignedIn) -> Response:
    """Show how to set it up; who has it, or no password beside which to ask for it, is led to the account."""
    if key.account.password_hash is None or second_factor.is_on(here.database, key.account):
        return RedirectResponse("/account", 303)
    return _page(request, here, key, second_factor.new_secret())


@router.post(PATH)
def turn_on(request: Request, here: Here, key: ProvedSignedIn, secret: Text = "", code: Text = "") -> Response:
    """Ask for codes from now on, once the app has shown that it makes them, and show the recovery codes."""
    here.limits.count(PASSWORD, key.account.email)
    try:
        recovery = second_factor.turn_on(here.database, here.secret, key, secret, code)
    except InvalidFields as error:
        return _page(request, here, key, secret, FilledForm({}, error))
    return render(request, "second_factor.html", headers={"Cache-Control": "no-store"}, recovery=recovery)


@router.post(f"{PATH}/removal")
def turn_off(request: Request, here: Here, key: ProvedSignedIn, code: Text = "") -> Response:
    """Ask for the password alone from now on; who found a browser open, or the password, has no code."""
    here.limits.count(PASSWORD, key.account.email)
    try:
        second_factor.check(here.database, here.secret, key.account, code)
    except InvalidFields as error:
        here.security_log.refuse(request, "wrong-code", key.account)
        return account_page(request, here, key, FilledForm({"code": code}, error))
    second_factor.turn_off(here.database, key.account, by=key.account)
    return lead_to("/account", "second-factor-off")


@router.post("/sign-in/code", dependencies=[PUBLIC])
def sign_in(request: Request, here: Here, half: Text = "", code: Text = "") -> Response:
    """Open a session for who has given the password a moment ago, and now the code."""
    here.limits.count(SIGN_IN_FROM, address_of(request))
    begun = unseal(here.secret, _HALF, half)
    account = None
    if begun is not None:
        with here.database.read() as session:
            account = accounts.get(session, int(begun["account"]))
    if begun is None or account is None or _mark_of(account) != begun["mark"]:
        raise InvalidInput("This sign-in took too long or was started elsewhere. Start again.")
    here.limits.count(PASSWORD, account.email)
    try:
        second_factor.check(here.database, here.secret, account, code)
    except InvalidFields as error:
        here.security_log.refuse(request, "wrong-code", account)
        return _code_page(request, half, FilledForm({}, error))
    response = RedirectResponse(local_path(begun["next"]), 303)
    open_session(request, response, account)
    return response


def ask_for_code(request: Request, here: State, account: Account, following: str) -> Response:
    """Return the page that asks who has given the password for the code; it is good for some minutes."""
    begun = {"account": str(id_of(account)), "mark": _mark_of(account), "next": local_path(following)}
    return _code_page(request, seal(here.secret, _HALF, begun), FilledForm())


def _mark_of(account: Account) -> str:
    """Return what changes with the password, and tells nothing of it."""
    return hashlib.sha256((account.password_hash or "").encode()).hexdigest()[:16]


def _code_page(request: Request, half: str, form: FilledForm) -> Response:
    status, headers = 400 if form.is_wrong else 200, {"Cache-Control": "no-store"}
    return render(request, "sign_in_code.html", status_code=status, headers=headers, half=half, form=form)


def _page(request: Request, here: State, key: Key, secret: str, form: FilledForm | None = None) -> Response:
    return render(
        request,
        "second_factor.html",
        status_code=400 if form else 200,
        headers={"Cache-Control": "no-store"},
        account=key.account,
        secret=secret,
        picture=Markup(second_factor.picture(secret, key.account, here.settings.site_name)),  # noqa: S704  lines alone
        form=form or FilledForm(),
        recovery=None,
    )
