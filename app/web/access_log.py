"""A line of JSON for each request, for whoever reads logs with programs.

Lines are gathered, and all workers append theirs to the file once a second, so that a request pays for its line alone.
The file is opened each time: whoever rotates logs may move it away at any moment. What people asked for (the query) and
links that open something (`/first-admin/…`) are not written.
"""

import json
import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from starlette.types import Scope

log = logging.getLogger(__name__)


class AccessLog:
    """Gathers lines and writes them; without a path it does nothing."""

    def __init__(self, path: Path | None, routes: Sequence[str] = ()) -> None:
        self._path = path
        # What begins so ends with a key, whatever becomes of the request: not all that is asked for reaches its route.
        self._secret = tuple(route.partition("{key}")[0] for route in routes if "{key}" in route)
        self._lock = Lock()
        self._lines: list[str] = []
        self._pid = os.getpid()

    def add(self, scope: Scope, route: str, status: int, seconds: float, sent: int) -> None:
        """Note an answer: its route, or nothing for what has none, its status, how long it took, and its bytes."""
        if self._path is None:
            return
        client = scope.get("client")
        line = {
            "time": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds"),
            "pid": self._pid,
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": self._without_key(scope["path"]),
            "route": route or None,
            "status": status,
            "ms": round(seconds * 1000, 3),
            "bytes": sent,
        }
        with self._lock:
            self._lines.append(json.dumps(line))

    def flush(self) -> None:
        """Append the lines to the file; when that fails they are lost, and the log of the site says so."""
        if self._path is None:
            return
        with self._lock:
            lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            with self._path.open("ab", buffering=0) as file:  # in one piece: other workers append to it too
                file.write("".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            log.warning("%s requests are missing in the access log: %s", len(lines), error.strerror)

    def _without_key(self, path: str) -> str:
        return next((f"{start}{{key}}" for start in self._secret if path.startswith(start)), path)
