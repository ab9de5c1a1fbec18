"""How long a save and a preview take, alone and while others read, and how much they slow them.

Run as `python bench/saving.py [ARTICLES]`; it needs wrk. Sixteen connections read the same hundred questions all the
time; a contributor changes other questions through the API, two a second, each published at once, or asks for previews
of them as the editor does. The readers' rate with and without that is measured in turns. The library is copied first:
the saves are real.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pages
from servers import product, serving
from wrk import Load, require, run

from app.environment import load_settings
from app.services.accounts import open_session
from app.storage import accounts
from app.storage.database import Database
from app.web.access import SESSION_COOKIE

ROUNDS = 4
SECONDS = 10
PAUSE_S = 0.5
READ = 100  # questions


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=None, help="how many documents (all of them)")
    options = parser.parse_args()
    require()
    original, slugs, _ = pages.library(options.articles)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        data = folder / "data"
        shutil.copytree(original, data)
        places = {"OMNIRACLE_DATA_DIR": str(data), "OMNIRACLE_CONTENT_DIR": str(folder / "content")}
        (folder / "content").mkdir()
        site = stack.enter_context(serving(folder / "site", product(), **places))
        readers = Load("readers", site, [f"/questions/{slug}" for slug in slugs[:READ]])
        run(folder, readers)  # every page was made once
        print(f"{len(slugs)} articles")
        for kind in (Saver, Previewer):
            measure(folder, readers, kind, places, slugs[READ:])


def measure(folder: Path, readers: Load, kind: "type[Writer]", places: dict[str, str], slugs: list[str]) -> None:
    """Measure one kind of writing in turns with none, and print what was found."""
    writer = kind(readers.url, places, slugs)
    with writer:
        time.sleep(SECONDS)
    writer.tell("alone")
    alone, beside, took = [], [], []
    for _ in range(ROUNDS):
        alone.append(run(folder, readers, seconds=SECONDS).per_second)
        writer = kind(readers.url, places, slugs)
        with writer:
            beside.append(run(folder, readers, seconds=SECONDS).per_second)
        took += writer.took_ms
    writer.took_ms = took
    writer.tell("beside 16 readers")
    shares = [b / a for a, b in zip(alone, beside, strict=True)]
    print(
        f"  readers keep {statistics.median(shares):.2f} of their rate  [{min(shares):.2f} to {max(shares):.2f}]",
        flush=True,
    )


class Writer(threading.Thread):
    """Sends something of one question after the other, from `with` to its end; what is refused ends the program.

    Each is a person of their own, for one may write only so often.
    """

    name_of_deed: str

    def __init__(self, site: str, places: dict[str, str], slugs: list[str]) -> None:
        super().__init__()
        self._site = urllib.parse.urlsplit(site).netloc
        self._slugs = slugs
        self._has_to_stop = threading.Event()
        self._refused = ""
        self.took_ms: list[float] = []
        self.email = f"writer{time.time_ns()}@example.org"
        self.environ = os.environ | places
        self.omniracle("user", "add", self.email, "--role", "admin", "--no-password")

    def omniracle(self, *arguments: str) -> str:
        """Return what a command says."""
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(command, env=self.environ, check=True, capture_output=True, text=True).stdout.strip()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._has_to_stop.set()
        self.join()
        if self._refused:
            sys.exit(self._refused)

    def run(self) -> None:
        """Write until it has to stop."""
        while not self._has_to_stop.wait(PAUSE_S):
            slug = random.choice(self._slugs)
            connection = http.client.HTTPConnection(self._site, timeout=60)
            connection.request("GET", f"/api/v1/questions/{slug}")
            known = json.loads(connection.getresponse().read())
            known["body_markdown"] += f"\n\nLooked at again, {time.time()}.\n"
            started = time.monotonic()
            self.send(connection, known)
            answer = connection.getresponse()
            said = answer.read()
            self.took_ms.append((time.monotonic() - started) * 1000)
            connection.close()
            if answer.status != 200:
                self._refused = f"{self.name_of_deed}: answered {answer.status}: {said[:300]!r}"
                return

    def send(self, connection: http.client.HTTPConnection, known: dict[str, Any]) -> None:
        """Send the changed question `known`."""
        raise NotImplementedError

    def tell(self, when: str) -> None:
        """Print how long it took."""
        took = sorted(self.took_ms)
        print(f"  {len(took)} {self.name_of_deed} {when}: p50 {statistics.median(took):.0f} ms, "
              f"p95 {took[int(0.95 * len(took))]:.0f} ms, longest {took[-1]:.0f} ms", flush=True)  # fmt: skip


class Saver(Writer):
    """Changes questions."""

    name_of_deed = "saves"

    def __init__(self, site: str, places: dict[str, str], slugs: list[str]) -> None:
        super().__init__(site, places, slugs)
        token = self.omniracle("token", "create", self.email)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "If-Match": "*"}

    def send(self, connection: http.client.HTTPConnection, known: dict[str, Any]) -> None:
        """Save it through the API."""
        change = json.dumps({"body_markdown": known["body_markdown"]})
        connection.request("PUT", f"/api/v1/questions/{known['slug']}", change, self._headers)


class Previewer(Writer):
    """Looks at what questions would be like."""

    name_of_deed = "previews"

    def __init__(self, site: str, places: dict[str, str], slugs: list[str]) -> None:
        super().__init__(site, places, slugs)
        database = Database.of(load_settings(self.environ))
        with database.read() as session:
            account = accounts.by_email(session, self.email)
        assert account is not None
        self._cookie = f"{SESSION_COOKIE}={open_session(database, account, 'bench')}"
        database.close()

    def send(self, connection: http.client.HTTPConnection, known: dict[str, Any]) -> None:
        """Ask for it as the editor does."""
        form = {"title": known["title"], "lang": known["lang"], "body": known["body_markdown"]}
        headers = {
            "Cookie": self._cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Sec-Fetch-Site": "same-origin",
        }
        connection.request("POST", "/contribute/preview", urllib.parse.urlencode(form), headers)


if __name__ == "__main__":
    main()
