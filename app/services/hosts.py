"""How the hosts that serve one database know of each other: each tells how its workers and its index are."""

import hashlib
import logging
import os
import platform
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from app.config import Settings
from app.errors import OperatorError
from app.models import Host
from app.models.columns import now
from app.services.limits import digest_of
from app.storage import hosts
from app.storage.database import Database
from app.workers.reading import Worker

log = logging.getLogger(__name__)

LOST_AFTER_S = 6.0  # without a word of it; each tells every two seconds
BEHIND_AFTER_S = 60.0  # that a change is not in a host's index: what is only busy has brought it in by then
MARK = "host.id"  # in the data folder
RIGHT_WITHIN_S = 2.0  # the clocks of hosts
# In each row that a host tells, as programs before them know rows alone.
LAG = "index_lag_s"
CLOCK = "clock_ahead_s"


@dataclass(frozen=True)
class OtherHost:
    """Another host."""

    name: str
    silent_s: float  # for how long nothing was heard of it
    workers: list[dict[str, Any]]  # as in /-/workers.json
    has_same_secret: bool
    index_lag_s: float | None  # how old the oldest change is that its index lacks; None when it has no index
    clock_ahead_s: float  # of the database's clock; negative when it is behind

    @property
    def is_behind(self) -> bool:
        """Say whether its index lacks what it should know by now."""
        return self.index_lag_s is None or self.index_lag_s > BEHIND_AFTER_S


class Hosts:
    """What one host tells and hears; it is alone where the database is a file."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self.name = f"{platform.node()}:{settings.port}"[:100]
        self._settings = settings

    def tell(self, workers: list[Worker], index_lag_s: float | None) -> None:
        """Tell the others how the workers of this host are, and for how long its index has lacked a change."""
        with self._database.write() as session:
            moment = hosts.clock(session)
            more = {LAG: index_lag_s, CLOCK: _ahead_s(moment)}
            rows = [worker.figures() | more for worker in workers]
            hosts.put(session, Host(id=self._id, name=self.name, seen_at=moment, secret=self._secret, workers=rows))

    def begin(self) -> None:
        """Forget who had this name and is silent: this host, before it came back with an empty data folder.

        A wrong clock is told to who reads the log.
        """
        if self._database.can_be_shared:
            with self._database.write() as session:
                moment = hosts.clock(session)
                ahead_s = _ahead_s(moment)
                hosts.drop_silent(session, self.name, self._id, moment - timedelta(seconds=LOST_AFTER_S))
            if not is_right(ahead_s):
                log.warning("the clock here differs from the database's by %.0f seconds: set it right", abs(ahead_s))

    def others(self) -> list[OtherHost]:
        """Return what the others have told last; those that have one name are told apart by their numbers."""
        if not self._database.can_be_shared:
            return []
        with self._database.read() as session:
            moment = hosts.clock(session)
            heard = hosts.others(session, self._id, moment)
        names = Counter([self.name, *(host.name for host in heard)])
        return [
            self._as_heard(host, host.name if names[host.name] == 1 else f"{host.name} ({host.id[:4]})", moment)
            for host in heard
        ]

    def clock_ahead_s(self) -> float:
        """Return by how many seconds the clock here is ahead of the database's, where that can be shared."""
        with self._database.read() as session:
            return _ahead_s(hosts.clock(session))

    def should_be_left_out(self, index_lag_s: float) -> bool:
        """Say whether a balancer should leave this host out, as its index is behind and those of others are not.

        Never more than half of all hosts are left out for that, and never one that is alone: after an import all of
        them are behind for a while, and the last ones must not bear what all readers ask.
        """
        if index_lag_s <= BEHIND_AFTER_S:
            return False
        heard = [host for host in self.others() if host.silent_s <= LOST_AFTER_S]
        are_well = sum(not host.is_behind for host in heard)
        return 2 * are_well >= len(heard) + 1

    def refuse_others(self, within_s: float = LOST_AFTER_S) -> None:
        """Raise OperatorError when another host serves this database, or has done so in the last `within_s` seconds."""
        for host in self.others():
            if host.silent_s <= max(within_s, LOST_AFTER_S):
                raise OperatorError(
                    f"The host {host.name} used this database {host.silent_s:.0f} seconds ago: "
                    "stop the servers of all hosts, wait a few seconds, and try again."
                )

    @cached_property
    def _id(self) -> str:
        # Not by the port: a command for the same data folder need not be told it, and is of the same host. By a random
        # part, for containers are often called alike; and by the rest, for a data folder may be a copy of another's.
        place = f"{platform.node()} {self._settings.data_dir.resolve()} {mark_of(self._settings)}"
        return hashlib.sha256(place.encode()).hexdigest()[:32]

    @cached_property
    def _secret(self) -> str:
        return digest_of(self._settings.signing_key(), "the same secret")

    def _as_heard(self, host: Host, name: str, moment: datetime) -> OtherHost:
        silent_s = max(0.0, (moment - host.seen_at).total_seconds())
        of_host = [(row.pop(LAG, 0.0), row.pop(CLOCK, 0.0)) for row in host.workers]  # in all rows alike
        lag_s, ahead_s = of_host[0] if of_host else (None, 0.0)
        workers = [
            row
            | {"host": name, "heartbeat_age_s": round(row["heartbeat_age_s"] + silent_s, 3)}
            | ({"state": "not responding"} if silent_s > LOST_AFTER_S else {})
            for row in host.workers
        ]
        return OtherHost(name, silent_s, workers, host.secret == self._secret, lag_s, ahead_s)


def is_right(clock_ahead_s: float) -> bool:
    """Say whether a clock agrees with the database's as well as it has to."""
    return abs(clock_ahead_s) <= RIGHT_WITHIN_S


def _ahead_s(moment: datetime) -> float:
    return (now() - moment).total_seconds()


def mark_of(settings: Settings) -> str:
    """Return what is written in a file of the data folder, made at random when it is first asked for."""
    file = settings.data_dir / MARK
    if not file.exists():
        made = file.with_name(f"{file.name}.{os.getpid()}")
        made.write_text(uuid.uuid4().hex, encoding="ascii")
        with suppress(FileExistsError):  # another process was first
            os.link(made, file)
        made.unlink()
    return file.read_text(encoding="ascii")
