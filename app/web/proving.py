"""Proof, a moment ago, of who somebody is: what a session that was stolen or left open must not be enough for."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Request
from starlette.responses import Response

from app.errors import InvalidFields, ProofNeeded
from app.models import Role
from app.services import proving
from app.services.accounts import Key, id_of
from app.services.limits import PASSWORD
from app.storage import identities
from app.web.access import Needs, session_of
from app.web.forms import Form as FilledForm
from app.web.state import State
from app.web.templating import render


class Proves(Needs):
    """An account with at least this role, whose owner has proved a moment ago, or proves now, who they are."""

    def __call__(self, request: Request, password: Annotated[str, Form()] = "") -> Key:
        """Return what proves who it is; raise SignInNeeded, Forbidden or ProofNeeded."""
        key = super().__call__(request)
        check_proof(request, key, password)
        return key


ProvedSignedIn = Annotated[Key, Depends(Proves(Role.READER))]
ProvedAdmin = Annotated[Key, Depends(Proves(Role.ADMIN))]


def check_proof(request: Request, key: Key, password: str = "") -> None:
    """Raise ProofNeeded unless the session was proved a moment ago, or `password` proves it."""
    if proving.is_proved(key):
        return
    if not password:
        raise ProofNeeded
    here: State = request.app.state.omniracle
    here.limits.count(PASSWORD, key.account.email)
    try:
        proving.prove(here.database, key, password)
    except InvalidFields as error:
        here.security_log.refuse(request, "wrong-password", key.account)
        raise ProofNeeded(*error.problems) from error


def proof_page(request: Request, error: ProofNeeded) -> Response:
    """Return the page that asks for the proof, and sends again with it what was typed."""
    here: State = request.app.state.omniracle
    key = session_of(request)
    assert key is not None
    with here.database.read() as session:
        linked = identities.of_account(session, id_of(key.account))
    is_at_provider = here.provider is not None and here.provider.issuer in {each.issuer for each in linked}
    return render(
        request,
        "proof.html",
        status_code=HTTPStatus.FORBIDDEN,
        headers={"Cache-Control": "no-store"},
        account=key.account,
        provider=here.provider.name if here.provider and is_at_provider else None,
        typed=request.state.typed,
        form=FilledForm({}, InvalidFields(error.problem) if error.problem else None),
        minutes=proving.PROOF_LIFETIME.seconds // 60,
    )
