"""Who sends a request, and what each route asks of them. Every route names exactly one rule; a test sees to it."""

import ipaddress
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app.config import Settings
from app.errors import Forbidden, SignInNeeded
from app.models import Account, Role, Scope
from app.services import accounts
from app.services.accounts import SESSION_LONGEST, Key
from app.services.limits import API_READ, SIGN_IN, SIGN_IN_AT, SIGN_IN_FROM
from app.web.origin import SAFE_METHODS
from app.web.state import State

SESSION_COOKIE = "omniracle_session"
HOST_PREFIX = "__Host-"  # browsers take such a cookie by HTTPS alone, and for no other host: nobody can plant one
BEARER = "bearer "


def is_https(settings: Settings, scheme: str) -> bool:
    """Say whether the site is reached by HTTPS, by what a request says or by its public address."""
    return "https" in (scheme, (settings.base_url or "").partition(":")[0])


def session_cookie(settings: Settings, scheme: str) -> str:
    """Return the name of the cookie by which a browser's session is known in a request."""
    return HOST_PREFIX + SESSION_COOKIE if is_https(settings, scheme) else SESSION_COOKIE


def key_of(request: Request) -> Key | None:
    """Return what proves who sends this request; None for an anonymous one.

    Raises SignInNeeded for a token that is not known.
    """
    if not hasattr(request.state, "key"):
        request.state.key = None  # whatever is raised on the way, the error page has an anonymous reader
        state: State = request.app.state.omniracle
        authorization = request.headers.get("authorization", "")
        if authorization.lower().startswith(BEARER):
            request.state.key = accounts.key_of_token(state.database, authorization[len(BEARER) :].strip())
            if request.state.key is None:
                state.security_log.refuse_often(request, "unknown-token")
                raise SignInNeeded("This token is unknown or has been revoked. Create a new one on your account page.")
        elif cookie := request.cookies.get(_cookie_of(request)):
            request.state.key = accounts.key_of_session(state.database, cookie)
    key: Key | None = request.state.key
    return key


def account_of(request: Request) -> Account | None:
    """Return the account that is signed in on the browser that sends this request; None for anybody else.

    A program with a token acts for its account only where a route says so: it is nobody everywhere else.
    """
    key = session_of(request)
    return key.account if key else None


def session_of(request: Request) -> Key | None:
    """Return what proves who is signed in on the browser that sends this request; None for anybody else."""
    key = key_of(request)
    return key if key and not key.is_token else None


class Rule:
    """What a route asks of who sends a request."""

    def __init__(self, least: Role | None, *, by_token: bool = False) -> None:
        self.least = least  # None: open to everybody
        self.by_token = by_token  # programs may come too


class Public(Rule):
    """Everybody may."""

    async def __call__(self) -> None:
        """Ask nothing."""


class Needs(Rule):
    """An account with at least this role."""

    def __call__(self, request: Request) -> Key:
        """Return what proves who it is; raise SignInNeeded or Forbidden."""
        key = key_of(request)
        if key is None:
            raise SignInNeeded("Please sign in first.")
        assert self.least is not None
        if not Role(key.account.role).includes(self.least):
            raise Forbidden("Your account does not have permission to do this.")
        if key.is_token and not self.by_token:
            raise Forbidden("This cannot be done with a token. Sign in with a browser.")
        if key.is_token and key.scope == Scope.READ and request.method not in SAFE_METHODS:
            raise Forbidden("This token is read-only. Create one with write access.")
        return key


PUBLIC = Depends(Public(None))
SignedIn = Annotated[Key, Depends(Needs(Role.READER))]
Contributor = Annotated[Key, Depends(Needs(Role.CONTRIBUTOR))]
Reviewer = Annotated[Key, Depends(Needs(Role.REVIEWER))]
Admin = Annotated[Key, Depends(Needs(Role.ADMIN))]
ApiContributor = Annotated[Key, Depends(Needs(Role.CONTRIBUTOR, by_token=True))]


async def count_read(request: Request) -> None:
    """Count what a program reads; raise TooManyRequests when it is too much for one address."""
    state: State = request.app.state.omniracle
    state.limits.count_often(API_READ, address_of(request))


def count_sign_in(request: Request, email: str) -> None:
    """Count an attempt to sign in by password; raise TooManyRequests when it is one too many.

    An attempt that its address is refused for does not count against the account: its owner may sign in elsewhere.
    """
    state: State = request.app.state.omniracle
    address, account = address_of(request), accounts.folded(email)
    state.limits.count(SIGN_IN_FROM, address)
    state.limits.count(SIGN_IN, f"{address} {account}")
    state.limits.count(SIGN_IN_AT, account)


def open_session(request: Request, response: Response, account: Account, proved_at: datetime | None = None) -> None:
    """Sign `account` in on the browser that gets `response`; the key is always a new one, and the former is no good.

    Its owner has proved who they are at `proved_at`, or just now.
    """
    state: State = request.app.state.omniracle
    agent, name = request.headers.get("user-agent", ""), _cookie_of(request)
    key = accounts.open_session(state.database, account, agent, request.cookies.get(name), proved_at)
    age = int(SESSION_LONGEST.total_seconds())
    state.security_log.let_in(request, account)
    response.set_cookie(name, key, max_age=age, httponly=True, samesite="lax")


def close_session(request: Request, response: Response) -> None:
    """Sign out on the browser that gets `response`."""
    state: State = request.app.state.omniracle
    name = _cookie_of(request)
    if cookie := request.cookies.get(name):
        accounts.close_session(state.database, cookie)
    response.delete_cookie(name, httponly=True, samesite="lax")


def _cookie_of(request: Request) -> str:
    state: State = request.app.state.omniracle
    return session_cookie(state.settings, request.scope["scheme"])


def address_of(request: Request) -> str:
    """Return the network address to count by: an IPv6 network of 64 bits counts as one, for its owner has all of it.

    What is no address, such as the name of a socket, stays itself.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))
