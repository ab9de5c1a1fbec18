"""How often something may be done, counted by all workers and hosts together in the database."""

import hashlib
import hmac
import time
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache

from app.errors import TooManyRequests
from app.storage import rates
from app.storage.database import Database

KEPT_S = 24 * 3600
SHARE = 50  # how many of what is done often one worker reserves at a time
SUBJECTS_KEPT = 10_000


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
EXPERIMENT = Limit("experiment", 120, 3600)
IMAGE = Limit("image", 60, 3600)
WISH = Limit("wish", 20, 3600)  # asking for an answer, without an account


class RateLimits:
    """Counts under keys that say nothing about people to who reads the database without the site's secret."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret
        self._lock = Lock()
        # Of whom this worker has reserved how many since when; less than none: all are used up.
        self._shares: LRUCache[tuple[str, str], tuple[int, int]] = LRUCache(SUBJECTS_KEPT)

    def count(self, limit: Limit, subject: str) -> None:
        """Count one more time for `subject`; raise TooManyRequests when it is one too many."""
        number, left_s = self._add(limit, subject)
        if number > limit.most:
            raise TooManyRequests(left_s)

    def has_share(self, limit: Limit, subject: str) -> bool:
        """Count one more time without asking the database, and return whether this worker had one reserved.

        Raises TooManyRequests when it is known that nothing is left.
        """
        left_s = limit.period_s - int(time.time()) % limit.period_s
        with self._lock:
            start, left = self._shares.get((limit.name, subject), (0, 0))
            if start != _start(limit) or left == 0:
                return False
            if left < 0:
                raise TooManyRequests(left_s)
            self._shares[limit.name, subject] = (start, left - 1)
        return True

    def reserve(self, limit: Limit, subject: str) -> None:
        """Count a whole share for this worker to use up, this time included; raise TooManyRequests when none is left.

        So the database is written once for many requests; up to a share for each worker is counted too much.
        """
        share = min(SHARE, limit.most)
        number, left_s = self._add(limit, subject, share)
        is_over = number - share >= limit.most
        with self._lock:
            self._shares[limit.name, subject] = (_start(limit), -1 if is_over else share - 1)
        if is_over:
            raise TooManyRequests(left_s)

    def is_first(self, limit: Limit, subject: str) -> bool:
        """Count one more time for `subject`, and say whether it is the first in the limit's period."""
        return self._add(limit, subject)[0] == 1

    def digest(self, text: str) -> str:
        """Return 40 characters that stand for a text and that nobody without the site's secret can trace back."""
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:40]

    def _add(self, limit: Limit, subject: str, number: int = 1) -> tuple[int, int]:
        start = _start(limit)
        with self._database.write() as session:
            total = rates.add(session, f"{limit.name}:{self.digest(subject)}", start, number)
        return total, max(1, start + limit.period_s - int(time.time()))

    def forget(self) -> None:
        """Delete the counters of yesterday."""
        with self._database.write() as session:
            rates.forget_before(session, int(time.time()) - KEPT_S)


def _start(limit: Limit) -> int:
    """Return when the present period began, in seconds since 1970."""
    moment = int(time.time())
    return moment - moment % limit.period_s
