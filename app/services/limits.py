"""How often something may be done, counted by all workers and hosts together in the database."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache

from app.errors import TooManyRequests
from app.storage import rates
from app.storage.database import Database

KEPT_S = 24 * 3600
SUBJECTS_KEPT = 10_000


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `period_s` seconds."""

    name: str
    most: int
    period_s: int


API_READ = Limit("api", 12_000, 60)  # from one address
SIGN_IN = Limit("sign-in", 10, 900)  # attempts at one account from one address
SIGN_IN_AT = Limit("sign-in-at", 25, 900)  # at one account from all addresses together
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
WANTED_CHECK = Limit("wanted-check", 1, 3600)  # for one state of the index that hosts share
UNANSWERED = Limit("unanswered", 60, 3600)  # searches without results that are noted, from one address
WISH = Limit("wish", 20, 3600)  # asking for an answer, without an account


@dataclass
class _Tally:
    """What one worker has counted in the period that began at `start`."""

    start: int
    known: int = 0  # of all workers, when it was last shared
    new: int = 0  # here since then


class RateLimits:
    """Counts under keys that say nothing about people to who reads the database without the site's secret."""

    def __init__(self, database: Database, secret: bytes, own: Mapping[Limit, int] | None = None) -> None:
        self._database = database
        self._secret = secret
        self._own = own or {}  # how many an operator allows; 0 for no limit
        self._lock = Lock()
        self._turn = Lock()
        self._tallies: LRUCache[tuple[str, str], _Tally] = LRUCache(SUBJECTS_KEPT)

    def count(self, limit: Limit, subject: str) -> None:
        """Count one more time for `subject`; raise TooManyRequests when it is one too many.

        Who was refused is refused until the period ends, without a write to the database each time.
        """
        most = self._own.get(limit, limit.most)
        if not most:
            return
        start = _start(limit)
        with self._lock:
            tally = self._tallies.get((limit.name, subject))
        if tally is None or tally.start != start or tally.known <= most:
            number = self._add(limit, subject, start)
            if number <= most:
                return
            with self._lock:
                self._tallies[limit.name, subject] = _Tally(start, known=number)
        raise TooManyRequests(_left_s(limit, start), most, limit.period_s)

    def count_often(self, limit: Limit, subject: str) -> None:
        """Count what is done so often that the database cannot be asked each time.

        Raises TooManyRequests when it is one too many by what this worker knows: its own count, and that of all others
        up to the last `share`.
        """
        most = self._own.get(limit, limit.most)
        if not most:
            return
        start = _start(limit)
        with self._lock:
            tally = self._tallies.get((limit.name, subject))
            if tally is None or tally.start != start:
                tally = self._tallies[limit.name, subject] = _Tally(start)
            if tally.known + tally.new >= most:
                raise TooManyRequests(_left_s(limit, start), most, limit.period_s)
            tally.new += 1

    def share(self) -> None:
        """Tell all other workers what was counted here since the last time, and learn what they have counted."""
        with self._turn:  # two at once would tell the same twice
            with self._lock:
                counted = [(key, tally, tally.new) for key, tally in self._tallies.items() if tally.new]
            if not counted:
                return
            with self._database.write() as session:
                known = [rates.add(session, self._key(*key), tally.start, new) for key, tally, new in counted]
            with self._lock:
                for (_, tally, new), number in zip(counted, known, strict=True):
                    tally.known = number
                    tally.new -= new

    def is_first(self, limit: Limit, subject: str) -> bool:
        """Count one more time for `subject`, and say whether it is the first in the limit's period."""
        return self._add(limit, subject, _start(limit)) <= 1

    def take_back(self, limit: Limit, subject: str) -> None:
        """Count one time less for `subject`: what was counted has not been done."""
        self._add(limit, subject, _start(limit), -1)

    def digest(self, text: str) -> str:
        """Return 40 characters that stand for a text and that nobody without the site's secret can trace back."""
        return digest_of(self._secret, text)

    def _add(self, limit: Limit, subject: str, start: int, number: int = 1) -> int:
        with self._database.write() as session:
            return rates.add(session, self._key(limit.name, subject), start, number)

    def _key(self, name: str, subject: str) -> str:
        return f"{name}:{self.digest(subject)}"

    def forget(self) -> None:
        """Delete the counters of yesterday."""
        with self._database.write() as session:
            rates.forget_before(session, int(time.time()) - KEPT_S)


def digest_of(secret: bytes, text: str) -> str:
    """Return 40 characters that stand for a text and that nobody without the secret can trace back."""
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:40]


def _start(limit: Limit) -> int:
    """Return when the present period began, in seconds since 1970."""
    moment = int(time.time())
    return moment - moment % limit.period_s


def _left_s(limit: Limit, start: int) -> int:
    """Return in how many seconds the period that began at `start` is over."""
    return max(1, start + limit.period_s - int(time.time()))
