"""How long a save takes while others read, and how much it slows them.

Run as `python bench/saving.py [ARTICLES]`; it needs wrk. Sixteen connections read the same hundred questions all the
time; a contributor changes other questions through the API, two a second, each published at once. The readers' rate
with and without saves is measured in turns. The library is copied first: the saves are real.
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

import pages
from servers import product, serving
from wrk import Load, require, run

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
        alone, beside, took = [], [], []
        for round_ in range(ROUNDS):
            alone.append(run(folder, readers, seconds=SECONDS).per_second)
            saver = Saver(site, new_token(places, round_), slugs[READ:])
            saver.start()
            beside.append(run(folder, readers, seconds=SECONDS).per_second)
            saver.stop()
            took += saver.took_ms
            print(f"  {round_ + 1} of {ROUNDS}: readers {beside[-1] / alone[-1]:.2f} of their rate without saves")
    took.sort()
    print(f"{len(slugs)} articles, {len(took)} saves beside 16 readers: p50 {statistics.median(took):.0f} ms, "
          f"p95 {took[int(0.95 * len(took))]:.0f} ms, longest {took[-1]:.0f} ms")  # fmt: skip
    print(f"readers beside saves: {statistics.median(b / a for a, b in zip(alone, beside, strict=True)):.2f}")


class Saver(threading.Thread):
    """Saves one change after the other."""

    def __init__(self, site: str, token: str, slugs: list[str]) -> None:
        super().__init__()
        self._site = urllib.parse.urlsplit(site).netloc
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "If-Match": "*"}
        self._slugs = slugs
        self._has_to_stop = threading.Event()
        self._refused = ""
        self.took_ms: list[float] = []

    def run(self) -> None:
        """Save until `stop` is called."""
        while not self._has_to_stop.wait(PAUSE_S):
            address = f"/api/v1/questions/{random.choice(self._slugs)}"
            connection = http.client.HTTPConnection(self._site, timeout=60)
            connection.request("GET", address)
            known = json.loads(connection.getresponse().read())
            change = {"body_markdown": f"{known['body_markdown']}\n\nLooked at again, {time.time()}.\n"}
            started = time.monotonic()
            connection.request("PUT", address, json.dumps(change), self._headers)
            answer = connection.getresponse()
            said = answer.read()
            self.took_ms.append((time.monotonic() - started) * 1000)
            connection.close()
            if answer.status != 200:
                self._refused = f"a save was answered {answer.status}: {said[:300]!r}"
                return

    def stop(self) -> None:
        """Save no more; a save that was refused ends the program."""
        self._has_to_stop.set()
        self.join()
        if self._refused:
            sys.exit(self._refused)


def new_token(places: dict[str, str], number: int) -> str:
    """Return the token of a new account, for one may save only so often."""
    email = f"saver{number}@example.org"
    omniracle = [sys.executable, "-m", "app"]
    environ = os.environ | places
    add = [*omniracle, "user", "add", email, "--role", "admin", "--no-password"]
    subprocess.run(add, env=environ, check=True, stdout=subprocess.DEVNULL)
    create = [*omniracle, "token", "create", email]
    return subprocess.run(create, env=environ, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
