"""Signing in, up and out."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.errors import InvalidFields, InvalidInput, NotFound
from app.services import accounts, second_factor
from app.services import first_admin as first
from app.services.limits import SIGN_UP
from app.web.access import PUBLIC, account_of, address_of, close_session, count_sign_in, open_session
from app.web.forms import Form as FilledForm
from app.web.notices import lead_to
from app.web.parameters import local_path
from app.web.routes.second_factor import ask_for_code
from app.web.state import Here, State
from app.web.templating import render

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

Text = Annotated[str, Form()]
NextPath = Annotated[str, Form(alias="next")]


@router.get("/sign-in")
def sign_in_form(request: Request, here: Here, next: str = "/") -> Response:  # noqa: A002  the parameter's name in the address
    """Show the form, or lead on who is signed in already."""
    if account_of(request) is not None:
        return RedirectResponse(local_path(next), 303)
    return sign_in_page(request, here, FilledForm(), next)


@router.post("/sign-in")
def sign_in(request: Request, here: Here, email: Text = "", password: Text = "", next_path: NextPath = "/") -> Response:
    """Open a session and go back to where the reader came from."""
    count_sign_in(request, email)
    try:
        account = accounts.sign_in(here.database, email, password)
    except InvalidInput as error:
        here.security_log.refuse_password(request, email)
        form = FilledForm({"email": email}, error)
        return sign_in_page(request, here, form, next_path, 400)
    if second_factor.is_on(here.database, account):
        return ask_for_code(request, here, account, next_path)
    response = RedirectResponse(local_path(next_path), 303)
    open_session(request, response, account)
    return response


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session of this browser."""
    response = lead_to("/", "signed-out")
    close_session(request, response)
    return response


@router.get("/sign-up")
def sign_up_form(request: Request, here: Here, next: str = "/") -> Response:  # noqa: A002
    """Show the form, or say that nobody can sign up here."""
    if account_of(request) is not None:
        return RedirectResponse(local_path(next), 303)
    return render(request, "sign_up.html", form=FilledForm(), key=None, **_door(here, next))


@router.post("/sign-up")
def sign_up(
    request: Request, here: Here, name: Text = "", email: Text = "", password: Text = "", next_path: NextPath = "/"
) -> Response:
    """Make an account and sign it in."""
    if here.settings.registration != "open":
        raise NotFound("Sign-up is closed. Ask the site's administrators for an account.")
    here.limits.count(SIGN_UP, address_of(request))
    try:
        account = accounts.sign_up(here.database, email=email, name=name, password=password)
    except InvalidFields as error:
        form = FilledForm({"name": name, "email": email}, error)
        return render(request, "sign_up.html", status_code=400, form=form, key=None, **_door(here, next_path))
    response = RedirectResponse(local_path(next_path), 303)
    open_session(request, response, account)
    return response


@router.get("/first-admin/{key}")
def first_admin_form(request: Request, here: Here, key: str) -> Response:
    """Show the form that the link printed at the first start leads to."""
    if not first.is_link_good(here.database, key):
        raise NotFound("This link has been used or has expired. A new one is printed when the server starts.")
    return _first_admin_page(request, FilledForm(), key)


@router.post("/first-admin/{key}")
def first_admin(
    request: Request, here: Here, key: str, name: Text = "", email: Text = "", password: Text = ""
) -> Response:
    """Make the first administrator and sign them in."""
    here.limits.count(SIGN_UP, address_of(request))
    try:
        account = first.first_admin(here.database, key, email=email, name=name, password=password)
    except InvalidFields as error:
        form = FilledForm({"name": name, "email": email}, error)
        return _first_admin_page(request, form, key, 400)
    response = RedirectResponse("/admin/welcome", 303)
    open_session(request, response, account)
    return response


def _first_admin_page(request: Request, form: FilledForm, key: str, status_code: int = 200) -> Response:
    context: dict[str, Any] = {"form": form, "key": key, "next": "/", "is_open": True, "provider": None}
    return render(request, "sign_up.html", status_code=status_code, **context)


def sign_in_page(request: Request, here: State, form: FilledForm, following: str, status_code: int = 200) -> Response:
    """Return the form, filled and with what was wrong, leading to `following`."""
    return render(request, "sign_in.html", status_code=status_code, form=form, **_door(here, following))


def _door(here: State, following: str) -> dict[str, Any]:
    """Return what both forms show beside their fields."""
    return {
        "next": local_path(following),
        "is_open": here.settings.registration == "open",
        "provider": here.provider.name if here.provider else None,
    }
