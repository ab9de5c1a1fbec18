"""Is this installation healthy? Looks at everything that can go wrong, changes nothing, and says what to do."""

import logging
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from app.addresses import LOOPBACK
from app.config import Settings
from app.errors import OmniracleError
from app.models import Image
from app.models.columns import now
from app.search.engine import SearchEngine
from app.services import backup, checking_postgresql, indexing, second_factor
from app.services.health import Check, State, worst
from app.services.hosts import LOST_AFTER_S, Hosts, is_right
from app.services.image_store import ImageStore, image_store
from app.storage import accounts, articles, jobs, schema
from app.storage.database import Database, file_of
from app.workers.reading import rows_in

log = logging.getLogger(__name__)

LITTLE_SPACE = 500 * 2**20
NO_SPACE = 50 * 2**20
WAITS_LONG = timedelta(minutes=5)
BACKUP_IS_OLD = timedelta(days=7)


def check_all(
    settings: Settings,
    database: Database,
    index: SearchEngine,
    *,
    images: ImageStore | None = None,
    reads_images: bool = False,
) -> list[Check]:
    """Return what was looked at, and how it is; nothing is raised for what is wrong with the installation.

    Images that are in a folder can be read to the last byte, which takes its time where there are many. A worker gives
    its store of `images`, which knows whether a bucket has failed just now.
    """
    found: list[Check] = []
    for part in (_settings, _disk, _readers, _secret):
        found += _told(part, settings)
    stored = _told(_database, database)
    found += stored
    if worst(stored) != State.PROBLEM:
        found += _told(_backup, settings)
        found += _told(_index, database, index)
        found += _told(_images, images or image_store(settings), database, reads_images)
        found += _told(_people, database)
        found += _told(_second_factors, settings, database)
        if database.can_be_shared:
            found += _told(_hosts, settings, database)
            found += _told(checking_postgresql.changes, database)
            found += _told(checking_postgresql.connections, settings, database)
            found += _told(checking_postgresql.pooler, database)
    found += _told(_workers, settings)
    return found


def _told(part: Callable[..., Iterator[Check]], *arguments: object) -> list[Check]:
    try:
        return list(part(*arguments))
    except (OmniracleError, SQLAlchemyError, OSError) as error:
        log.warning("a check failed: %s", error)
        name = part.__name__.strip("_")
        return [Check(State.PROBLEM, "“%(name)s” could not be checked. See the log for the reason.", {"name": name})]


def _settings(settings: Settings) -> Iterator[Check]:
    if settings.base_url is None:
        message = "OMNIRACLE_BASE_URL is not set: absolute links, in feeds for example, name whatever host was asked."
        yield Check(State.WARNING, message)
    elif settings.base_url.startswith("http:") and urlsplit(settings.base_url).hostname not in LOOPBACK:
        message = "OMNIRACLE_BASE_URL starts with http://: passwords and sessions are sent unencrypted. Use HTTPS."
        yield Check(State.WARNING, message)
    else:
        yield Check(State.OK, "The public address is %(url)s.", {"url": settings.base_url})
    if "*" in settings.forwarded_allow_ips:
        message = "FORWARDED_ALLOW_IPS trusts everyone, so anyone can claim any address. Name your proxies."
        yield Check(State.PROBLEM, message)
    if not settings.content_dir.is_dir():
        message = "The content folder does not exist: create it, or name another with OMNIRACLE_CONTENT_DIR."
        yield Check(State.PROBLEM, message)


def _disk(settings: Settings) -> Iterator[Check]:
    settings.prepare_data_dir()
    free = shutil.disk_usage(settings.data_dir).free
    message = "%(free)s GB are free on the data folder's disk."
    state = State.PROBLEM if free < NO_SPACE else State.WARNING if free < LITTLE_SPACE else State.OK
    yield Check(state, message, {"free": f"{free / 2**30:.1f}"})


def _readers(settings: Settings) -> Iterator[Check]:
    if stat.S_IMODE(settings.data_dir.stat().st_mode) & 0o077:
        message = "Other accounts of this machine can look into the data folder, with its addresses: `chmod 700` it."
        yield Check(State.WARNING, message)
    else:
        yield Check(State.OK, "No other account of this machine can look into the data folder.")


def _secret(settings: Settings) -> Iterator[Check]:
    settings.signing_key()
    if settings.secret_key is None and stat.S_IMODE(settings.secret_file.stat().st_mode) & 0o077:
        yield Check(
            State.PROBLEM, "The file secret.key in the data folder can be read by others: run `chmod 600` on it."
        )
    else:
        yield Check(State.OK, "The site's secret is in place.")


def _hosts(settings: Settings, database: Database) -> Iterator[Check]:
    here = Hosts(settings, database)
    others = here.others()
    clocks = {here.name: here.clock_ahead_s()} | {
        host.name: host.clock_ahead_s for host in others if host.silent_s <= LOST_AFTER_S
    }
    for name, ahead_s in clocks.items():
        if not is_right(ahead_s):
            message = "The clock of the host %(name)s differs from the database's by %(seconds)s seconds: set it right."
            yield Check(State.PROBLEM, message, {"name": name, "seconds": round(abs(ahead_s))})
    for host in others:
        if not host.has_same_secret:
            message = "The host %(name)s has another secret: set OMNIRACLE_SECRET_KEY to the same value on all hosts."
            yield Check(State.PROBLEM, message, {"name": host.name})
        elif host.silent_s > LOST_AFTER_S:
            message = "Nothing was heard of the host %(name)s for %(seconds)s seconds."
            yield Check(State.WARNING, message, {"name": host.name, "seconds": round(host.silent_s)})
        elif host.is_behind:
            message = "The search index of the host %(name)s is missing or behind; its /readyz and its log say more."
            yield Check(State.WARNING, message, {"name": host.name})
        else:
            yield Check(State.OK, "The host %(name)s is well.", {"name": host.name})


def _database(database: Database) -> Iterator[Check]:
    schema.check(database)
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            said = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
        if said != "ok":
            message = "The database is damaged (%(reason)s): restore the last backup."
            yield Check(State.PROBLEM, message, {"reason": said})
            return
    message = "The database (%(kind)s) is intact and has this version's schema."
    yield Check(State.OK, message, {"kind": database.engine.dialect.name})


def _backup(settings: Settings) -> Iterator[Check]:
    receipt = backup.last(settings)
    if receipt is None and file_of(settings) is None:  # its own tools may make them, and nobody tells the site
        return
    if receipt is None:
        yield Check(State.WARNING, "There has been no backup yet: run `omniracle backup FILE`.")
        return
    params: dict[str, object] = {"time": f"{receipt.made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", "file": receipt.file}
    if now() - receipt.made_at > BACKUP_IS_OLD:
        message = "The last backup is more than 7 days old (%(time)s, %(file)s): run `omniracle backup FILE`."
        yield Check(State.WARNING, message, params)
    else:
        yield Check(State.OK, "Last backup: %(time)s (%(file)s)", params)


def _index(database: Database, index: SearchEngine) -> Iterator[Check]:
    if not index.is_whole(thorough=True):
        yield Check(
            State.PROBLEM, "The search index is missing or damaged: run `omniracle reindex` or `omniracle serve`."
        )
        return
    with database.read() as session:
        if indexing.has_other_past(session, index):
            message = (
                "The search index knows changes that the database does not have: run `omniracle reindex` or "
                "`omniracle serve`."
            )
            yield Check(State.PROBLEM, message)
            return
    missing, surplus = indexing.differing(database, index)
    with database.read() as session:
        waiting = jobs.after(session, index.position(), 1)
        count = articles.count(session)
    if waiting and now() - waiting[0].created_at > WAITS_LONG:
        yield Check(State.PROBLEM, "Changes have waited more than 5 minutes to be indexed: run `omniracle reindex`.")
    elif not waiting and (missing or surplus):
        message = (
            "The search index is out of date (missing: %(missing)s, left over: %(surplus)s): run `omniracle reindex`."
        )
        yield Check(State.PROBLEM, message, {"missing": len(missing), "surplus": len(surplus)})
    else:
        yield Check(State.OK, "The search index is intact. Answers in it: %(count)s", {"count": count})


def _images(store: ImageStore, database: Database, reads: bool) -> Iterator[Check]:  # noqa: FBT001  called by _told
    with database.read() as session:
        stored = session.exec(select(Image.name, Image.bytes).order_by(col(Image.name))).all()
    there = store.sizes()
    missing = [name for name, _ in stored if name not in there]
    damaged = [
        name for name, size in stored if name in there and (there[name] != size or (reads and store.is_damaged(name)))
    ]
    if missing:
        message = (
            "Images missing: %(count)s, for example %(first)s. Copy them from where they were before, or restore them "
            "from a backup."
        )
        yield Check(State.PROBLEM, message, {"count": len(missing), "first": missing[0]})
    if damaged:
        message = "Images cut off or changed: %(count)s, for example %(first)s. Restore them from a backup."
        yield Check(State.PROBLEM, message, {"count": len(damaged), "first": damaged[0]})
    if not missing and not damaged:
        yield Check(State.OK, "No images are missing. Images in all: %(count)s", {"count": len(stored)})


def _people(database: Database) -> Iterator[Check]:
    with database.read() as session:
        admins = accounts.admin_count(session)
    if not admins:
        message = "There is no administrator: open the link printed at the start, or run `omniracle user add`."
        yield Check(State.WARNING, message)
    else:
        yield Check(State.OK, "Administrators: %(count)s", {"count": admins})


def _second_factors(settings: Settings, database: Database) -> Iterator[Check]:
    closed = second_factor.closed(database, settings.signing_key())
    if closed:
        message = (
            "Accounts whose second factor does not open with the site's secret: %(count)s, for example number "
            "%(first)s. Give back the secret that the site had before, see docs/deploying.md; if it is lost, run "
            "`omniracle user second-factor-off`."
        )
        yield Check(State.PROBLEM, message, {"count": len(closed), "first": closed[0]})


def _workers(settings: Settings) -> Iterator[Check]:
    rows = rows_in(settings.workers_file)
    stuck = [row.pid for row in rows if row.state == "not responding"]
    if not rows:
        yield Check(State.WARNING, "No worker is running: start the server with `omniracle serve`.")
    elif stuck:
        message = (
            "Workers not responding: %(pids)s. The log shows what they are doing; `omniracle reload` replaces them."
        )
        yield Check(State.PROBLEM, message, {"pids": ", ".join(map(str, stuck))})
    else:
        yield Check(State.OK, "Workers running: %(count)s", {"count": len(rows)})
