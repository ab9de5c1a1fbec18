"""How often something may be done, counted by all workers and hosts together in the database."""

import hashlib
import hmac
import time
from dataclasses import dataclass

from app.errors import TooManyRequests
from app.storage import rates
from app.storage.database import Database

KEPT_S = 24 * 3600


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `period_s` seconds."""

    name: str
    most: int
    period_s: int


SIGN_IN = Limit("sign-in", 10, 900)  # attempts at one account
SIGN_IN_FROM = Limit("sign-in-from", 50, 900)  # from one address: an office or a school shares one
PASSWORD = Limit("password", 10, 900)  # attempts to change one's own
PREVIEW = Limit("preview", 3000, 3600)  # previews and drafts while somebody writes: nearly one a second
SIGN_UP = Limit("sign-up", 10, 3600)
CONTRIBUTION = Limit("contribution", 60, 3600)
LINK = Limit("link", 120, 3600)  # pages fetched for cards
LINK_CHECK = Limit("link-check", 1, 60)
FEEDBACK = Limit("feedback", 30, 3600)
IMAGE = Limit("image", 60, 3600)
WISH = Limit("wish", 20, 3600)  # asking for an answer, without an account


class RateLimits:
    """Counts under keys that say nothing about people to who reads the database without the site's secret."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret

    def count(self, limit: Limit, subject: str) -> None:
        """Count one more time for `subject`; raise TooManyRequests when it is one too many."""
        number, left_s = self._add(limit, subject)
        if number > limit.most:
            raise TooManyRequests(left_s)

    def is_first(self, limit: Limit, subject: str) -> bool:
        """Count one more time for `subject`, and say whether it is the first in the limit's period."""
        return self._add(limit, subject)[0] == 1

    def digest(self, text: str) -> str:
        """Return 40 characters that stand for a text and that nobody without the site's secret can trace back."""
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:40]

    def _add(self, limit: Limit, subject: str) -> tuple[int, int]:
        moment = int(time.time())
        start = moment - moment % limit.period_s
        with self._database.write() as session:
            number = rates.add(session, f"{limit.name}:{self.digest(subject)}", start, 1)
        return number, start + limit.period_s - moment

    def forget(self) -> None:
        """Delete the counters of yesterday."""
        with self._database.write() as session:
            rates.forget_before(session, int(time.time()) - KEPT_S)
