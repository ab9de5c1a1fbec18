"""What administrators see and do: accounts and their roles, and the record of changes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.errors import InvalidInput
from app.models import Role
from app.models.columns import now
from app.services import accounts as service
from app.services.checking import check_all
from app.storage import (
    accounts,
    articles,
    audit,
    feedback,
    jobs,
    proposals,
    resources,
    revisions,
    second_factors,
    wanted,
)
from app.web.access import Admin
from app.web.language import translate
from app.web.notices import lead_to
from app.web.parameters import PageNumber, RowId
from app.web.proving import ProvedAdmin
from app.web.state import Here
from app.web.templating import render
from app.web.turns import ImageTurn

router = APIRouter(prefix="/admin", include_in_schema=False)
status_router = APIRouter(prefix="/-", include_in_schema=False)

PAGE_SIZE = 100
NOT_KEPT = {"Cache-Control": "no-store"}


@router.get("/welcome")
def welcome(request: Request, here: Here, key: Admin) -> Response:
    """Show what is left to do on a new site, and what is done."""
    with here.database.read() as session:
        total = articles.count(session)
        people = accounts.list_page(session, number=1, size=1).total
        has_written = revisions.has_written(session, key.account.id or 0)
    has_address = here.settings.base_url is not None
    return render(request, "welcome.html", total=total, people=people, has_written=has_written, has_address=has_address)


@router.get("/accounts")
def list_accounts(request: Request, here: Here, key: Admin, number: PageNumber) -> Response:
    """List the accounts."""
    with here.database.read() as session:
        page = accounts.list_page(session, number=number, size=PAGE_SIZE)
        with_factor = second_factors.among(session, [account.id or 0 for account in page.items])
    return render(
        request,
        "accounts.html",
        headers=NOT_KEPT,
        page=page,
        roles=list(Role),
        own=key.account.id,
        with_factor=with_factor,
    )


@router.post("/accounts/{account_id}/role")
def set_role(here: Here, key: ProvedAdmin, account_id: RowId, role: Annotated[str, Form()] = "") -> Response:
    """Give an account another role."""
    if role not in list(Role):
        raise InvalidInput("There is no such role.")
    service.set_role(here.database, account_id, Role(role), by=key.account)
    return lead_to("/admin/accounts", "role")


@router.get("/audit")
def list_changes(request: Request, here: Here, _key: Admin, number: PageNumber) -> Response:
    """List what was changed by whom."""
    with here.database.read() as session:
        page = audit.list_page(session, number=number, size=PAGE_SIZE)
    return render(request, "audit.html", headers=NOT_KEPT, page=page)


@status_router.get("/status")
def status(request: Request, here: Here, _key: Admin, _turn: ImageTurn) -> Response:
    """Show how the site is: what is wrong and what to do, and its figures."""
    with here.database.read() as session:
        figures = {
            "answers": articles.count(session),
            "waiting": jobs.count_after(session, here.index.position()),
            "wanted": wanted.list_page(session, number=1, size=1).total,
            "gone": resources.gone_page(session, number=1, size=1).total,
            "stale": feedback.stale_page(session, now().date(), number=1, size=1).total,
            "proposals": proposals.pending_count(session),
        }
    return render(
        request,
        "status.html",
        headers=NOT_KEPT,
        checks=[(check.state, translate(check.message, check.params)) for check in
                check_all(here.settings, here.database, here.index, images=here.images)],
        figures=figures,
        generation=here.index.generation(),
        workers=here.table.rows(),
    )  # fmt: skip
