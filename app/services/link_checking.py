"""Looking again at the pages that answers refer to, politely, so that links do not rot unseen."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.models import LinkState, Resource
from app.models.columns import now
from app.services.fetching import Fetched, FetchFailed
from app.services.progress import Progress, silent
from app.storage import resources
from app.storage.database import Database

if TYPE_CHECKING:
    from app.services.fetcher import Fetcher

log = logging.getLogger(__name__)

GONE = (404, 410)
ASK_WITH_GET = (400, 403, 404, 405, 406, 410, 500, 501)  # some sites answer HEAD wrongly
FAILURES_TO_BE_GONE = 3
SPACING = timedelta(hours=20)  # between two failures that both count
HOST_PAUSE_S = 1.0
AGAIN = timedelta(days=14)
AFTER_FAILURE = timedelta(days=1)  # and twice as long after each further one
LONGEST = timedelta(days=30)


@dataclass
class LinkReport:
    """How many resources are in which state after a check, and the addresses of those that need a person."""

    counts: Counter[str] = field(default_factory=Counter)
    moved: list[tuple[str, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def check(
    database: Database,
    fetcher: "Fetcher",
    *,
    everything: bool = False,
    limit: int | None = None,
    progress: Progress = silent,
    pause: Callable[[float], None] = time.sleep,
) -> LinkReport:
    """Look at the resources that are due, or at all of them, and write down what was found."""
    report = LinkReport()
    last_seen: dict[str, float] = {}  # by host, in seconds of the monotonic clock
    with database.read() as session:
        due = resources.due(session, None if everything else now(), limit or 1_000_000)
    for done, resource in enumerate(due, start=1):
        host = urlsplit(resource.url).hostname or ""
        wait = last_seen.get(host, 0.0) + HOST_PAUSE_S - time.monotonic()
        if wait > 0:
            pause(wait)
        found = _look(fetcher, resource)
        last_seen[host] = time.monotonic()
        with database.write() as session:
            known = session.get_one(Resource, resource.id)
            _write_down(known, found)
            session.add(known)
        _count(report, known)
        progress("links", done, len(due))
    return report


def _look(fetcher: "Fetcher", resource: Resource) -> Fetched | FetchFailed:
    headers = {"If-None-Match": resource.etag} if resource.etag and resource.etag.isascii() else {}
    try:
        found = fetcher.fetch(resource.url, method="HEAD", headers=headers)
        return fetcher.fetch(resource.url, headers=headers) if found.status in ASK_WITH_GET else found
    except FetchFailed as error:
        return error
    except Exception as error:  # one odd page must not keep all others from being looked at
        log.exception("%s could not be looked at", resource.url)
        return FetchFailed("connection", repr(error))


def _write_down(resource: Resource, found: Fetched | FetchFailed) -> None:
    moment, before = now(), resource.checked_at
    resource.checked_at = moment
    is_lost = found.kind == "no host" if isinstance(found, FetchFailed) else found.status in GONE
    resource.status = None if isinstance(found, FetchFailed) else found.status
    if is_lost:
        if resource.failures == 0 or before is None or moment - before >= SPACING:
            resource.failures += 1
        resource.state = LinkState.GONE if resource.failures >= FAILURES_TO_BE_GONE else LinkState.UNKNOWN
        resource.check_after = moment + min(AFTER_FAILURE * 2 ** min(resource.failures - 1, 10), LONGEST)
        return
    if isinstance(found, FetchFailed) or not (found.status < 400):
        resource.state = LinkState.UNKNOWN
        resource.check_after = moment + AFTER_FAILURE
        return
    resource.failures = 0
    resource.state = LinkState.MOVED if found.moved_for_good else LinkState.OK
    resource.moved_to = found.url[:2000] if found.moved_for_good else None
    resource.etag = found.headers.get("etag", "")[:200] or resource.etag
    resource.check_after = moment + AGAIN


def _count(report: LinkReport, resource: Resource) -> None:
    report.counts[resource.state or LinkState.UNKNOWN] += 1
    if resource.state == LinkState.MOVED and resource.moved_to:
        report.moved.append((resource.url, resource.moved_to))
    elif resource.state == LinkState.GONE:
        report.gone.append(resource.url)
