"""How the hosts that serve one database know of each other: each tells how its workers are."""

import hashlib
import platform
from dataclasses import dataclass
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

LOST_AFTER_S = 6.0  # without a word of it; each tells every two seconds


@dataclass(frozen=True)
class OtherHost:
    """Another host."""

    name: str
    silent_s: float  # for how long nothing was heard of it
    workers: list[dict[str, Any]]  # as in /-/workers.json
    has_same_secret: bool


class Hosts:
    """What one host tells and hears; it is alone where the database is a file."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self.name = f"{platform.node()}:{settings.port}"[:100]
        # Not by the port: a command for the same data folder need not be told it, and is of the same host.
        place = f"{platform.node()} {settings.data_dir.resolve()}"
        self._id = hashlib.sha256(place.encode()).hexdigest()[:32]
        self._settings = settings

    def tell(self, workers: list[Worker]) -> None:
        """Tell the others how the workers of this host are."""
        rows = [worker.figures() for worker in workers]
        told = Host(id=self._id, name=self.name, seen_at=now(), secret=self._secret, workers=rows)
        with self._database.write() as session:
            hosts.put(session, told)

    def others(self) -> list[OtherHost]:
        """Return what the others have told last."""
        if not self._database.can_be_shared:
            return []
        with self._database.read() as session:
            return [self._as_heard(host) for host in hosts.others(session, self._id)]

    def refuse_others(self, within_s: float = LOST_AFTER_S) -> None:
        """Raise OperatorError when another host serves this database, or has done so in the last `within_s` seconds."""
        for host in self.others():
            if host.silent_s <= max(within_s, LOST_AFTER_S):
                raise OperatorError(
                    f"The host {host.name} used this database {host.silent_s:.0f} seconds ago: "
                    "stop the servers of all hosts, wait a few seconds, and try again."
                )

    @cached_property
    def _secret(self) -> str:
        return digest_of(self._settings.signing_key(), "the same secret")

    def _as_heard(self, host: Host) -> OtherHost:
        silent_s = max(0.0, (now() - host.seen_at).total_seconds())
        workers = [
            row
            | {"host": host.name, "heartbeat_age_s": round(row["heartbeat_age_s"] + silent_s, 3)}
            | ({"state": "not responding"} if silent_s > LOST_AFTER_S else {})
            for row in host.workers
        ]
        return OtherHost(host.name, silent_s, workers, host.secret == self._secret)
