"""Who was let in and who was not: a line of JSON for each in the log of the site, for whoever looks into an incident.

Accounts are named by their numbers alone. What was typed stands in no line: some type a password where the address
belongs.
"""

import json
import logging
from threading import Lock

from cachetools import TTLCache
from fastapi import Request

from app.models import Account
from app.services.accounts import folded
from app.storage import accounts
from app.storage.database import Database

log = logging.getLogger(__name__)

QUIET_S = 60  # for which nothing more is said of what may be tried without an end
KEPT = 10_000


class SecurityLog:
    """Writes the lines of one worker."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._said: TTLCache[str, bool] = TTLCache(KEPT, QUIET_S)

    def let_in(self, request: Request, account: Account) -> None:
        """Note that a session was opened."""
        log.info("%s", _line(request, "sign-in", account))

    def refuse(self, request: Request, why: str, account: Account | None) -> None:
        """Note that somebody could not prove to be the owner of an account; limits see to it that there are few."""
        log.warning("%s", _line(request, why, account))

    def refuse_password(self, request: Request, email: str) -> None:
        """Note that a password was none of the account with that address."""
        with self._database.read() as session:
            account = accounts.by_email(session, folded(email))
        self.refuse(request, "wrong-password", account)

    def refuse_often(self, request: Request, why: str, account: Account | None = None) -> None:
        """Note what nothing limits; the same line once a minute."""
        line = _line(request, why, account)
        with self._lock:
            if line in self._said:
                return
            self._said[line] = True
        log.warning("%s", line)


def _line(request: Request, event: str, account: Account | None) -> str:
    return json.dumps({
        "event": event,
        "client": request.client.host if request.client else None,
        "route": getattr(request.scope.get("route"), "path", None),
        "account": account.id if account else None,
    })  # fmt: skip
