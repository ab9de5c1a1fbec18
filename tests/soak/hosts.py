"""Three hosts, one PostgreSQL, and everything that may befall them: `python -m tests.soak.hosts --minutes 5 --seed 1`.

Through a balancer people write, delete, bring back, propose and review, while readers ask each host whether it shows
what was acknowledged in time. Meanwhile hosts are killed, stopped, brought back empty and cut off from the database,
with and without a word, and the database is crashed. A run in which too little was done to say anything fails, too.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.databases import Cluster, cluster
from tests.soak.crowd import SETTLED_S, Crowd
from tests.soak.installation import traceback_in
from tests.soak.ledger import Ledger
from tests.soak.many import Host, balancer, losses, people_of

HOSTS = ("red", "green", "blue")
FROZEN_S = (3, 6, 25)  # the last is longer than PostgreSQL keeps a lock for who gives no sign of life
REFUSED_WITHIN_S = 25.0  # five seconds until a connection is given up, five for a new one, and a busy machine
FAULTS = ("kill", "freeze", "cut", "hush", "empty", "crash")
LONG_S = 240  # in which each of them has its turn, on a slow machine too
SAVED = ("created", "changed", "deleted", "restored")
NEEDED = (*SAVED, "own changes looked at", "pages looked at", "searches", "searches in vain")


class Soak:
    """What happens to the hosts while people use them."""

    def __init__(self, hosts: list[Host], cluster: Cluster, crowd: Crowd) -> None:
        self._hosts, self._cluster, self._crowd = hosts, cluster, crowd

    def run(self, until: float, seed: str) -> None:
        """Let things happen until then."""
        self._crowd.begin()
        rng, ledger = random.Random(f"{seed}-events"), self._crowd.ledger
        left: list[str] = []
        while time.monotonic() < until:
            time.sleep(rng.uniform(4, 8))
            left = left or rng.sample(FAULTS, len(FAULTS))
            fault, before = left.pop(), ledger.counts.copy()
            print(f"{time.strftime('%H:%M:%S')} {getattr(self, f'_{fault}')(rng)}; {ledger.listed()}", flush=True)
            ledger.tried[fault] = ledger.tried.get(fault, Counter()) + (ledger.counts - before)
        time.sleep(SETTLED_S)
        self._crowd.end()

    def _kill(self, rng: random.Random) -> str:
        host = rng.choice(self._hosts)
        host.kill()
        time.sleep(rng.uniform(1, 5))
        host.start()
        return f"{host.name} was killed"

    def _empty(self, rng: random.Random) -> str:
        host = rng.choice(self._hosts)
        host.kill()
        host.empty()
        host.start()
        return f"{host.name} came back empty"

    def _freeze(self, rng: random.Random) -> str:
        host = rng.choice(self._hosts)
        host.well_since = float("inf")
        host.signal(signal.SIGSTOP)
        time.sleep(seconds := rng.choice(FROZEN_S))
        host.signal(signal.SIGCONT)
        self._wait_until_ready(host)
        return f"{host.name} stood still for {seconds} s"

    def _cut(self, rng: random.Random) -> str:
        host = rng.choice(self._hosts)
        host.well_since = float("inf")
        host.wire.cut()
        time.sleep(rng.uniform(3, 8))
        host.wire.mend()
        self._wait_until_ready(host)
        return f"{host.name} was cut off from the database"

    def _hush(self, rng: random.Random) -> str:
        """Nothing gets through any more, and nobody is told: whoever asks is told so in time, by a page or a 503."""
        host = rng.choice(self._hosts)
        host.well_since = float("inf")
        host.wire.hush()
        end = time.monotonic() + rng.uniform(3, 20)
        while time.monotonic() < end:
            asked_at = time.monotonic()
            try:
                host.ask("GET", f"/questions?{asked_at}")
            except OSError as error:
                self._crowd.violated(f"{host.name}, cut off without a word, does not answer: {error!r}")
            if (waited := time.monotonic() - asked_at) > REFUSED_WITHIN_S:
                self._crowd.violated(f"{host.name}, cut off without a word, answers after {waited:.0f} s")
            self._crowd.ledger.count("asked while cut off")
            time.sleep(0.3)
        host.wire.mend()
        self._wait_until_ready(host)
        return f"{host.name} was cut off from the database without a word"

    def _crash(self, rng: random.Random) -> str:
        for host in self._hosts:
            host.well_since = float("inf")
        self._cluster.stop("immediate")
        time.sleep(rng.uniform(1, 4))
        self._cluster.start()
        for host in self._hosts:
            self._wait_until_ready(host)
        return "the database crashed"

    def _wait_until_ready(self, host: Host) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError):
                if host.ask("GET", "/readyz").status == 200:
                    host.well_since = time.monotonic()
                    return
            time.sleep(0.1)
        self._crowd.violated(f"{host.name} is not ready half a minute after it could be")
        host.well_since = time.monotonic()


def unproved(ledger: Ledger, seconds: float) -> Iterator[str]:
    """Yield what lacks so long a run to say something by finding nothing violated."""
    for what in NEEDED:
        if not ledger.counts[what]:
            yield f"{what} 0"
    if not ledger.counts["approved"] and seconds >= LONG_S:
        yield "approved 0"
    for fault in FAULTS:
        if fault not in ledger.tried and seconds >= LONG_S:
            yield f"{fault}: not tried"


def soak(folder: Path, seed: str, seconds: float, engine: str) -> Crowd:
    """Run for so many seconds with this search engine; return what was found."""
    with ExitStack() as stack:
        (folder / "cluster").mkdir()
        running = stack.enter_context(cluster(folder / "cluster"))
        name = running.create()
        people = people_of(running.url(name))
        hosts = [Host(each, folder / each, running, name, engine) for each in HOSTS]
        for host in hosts:
            stack.callback(host.kill)
            host.start()
        port = stack.enter_context(balancer(folder, hosts))
        done = Crowd(hosts, port, people, seed)
        Soak(hosts, running, done).run(time.monotonic() + seconds, seed)
        for loss in losses(done.questions, hosts, running.url(name)):
            done.ledger.violated(loss)
        for host in hosts:
            if found := traceback_in(host.log.read_text()):
                done.ledger.violated(f"the log of {host.name} has a traceback:\n{found}")
        return done


def main() -> None:
    """Run it as the command line says; the exit status is 1 if anything was violated, or nothing was proved."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000)
    parser.add_argument("--search", choices=("whoosh", "postgresql"), default="whoosh")
    chosen = parser.parse_args()
    print(f"three hosts, search by {chosen.search}, seed {chosen.seed}, {chosen.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="omniracle-hosts-") as folder:
        Path(folder).chmod(0o755)  # the database runs as somebody else
        try:
            done = soak(Path(folder), str(chosen.seed), chosen.minutes * 60, chosen.search)
        except pytest.skip.Exception as reason:  # there is no PostgreSQL or nginx
            sys.exit(f"Nothing was tried: {reason}")
    print(f"all: {done.ledger.listed()}")
    for violation in done.ledger.violations:
        print(f"VIOLATION {violation}")
    for missing in (lacking := list(unproved(done.ledger, chosen.minutes * 60))):
        print(f"NOT PROVED {missing}")
    sys.exit(1 if done.ledger.violations or lacking else 0)


if __name__ == "__main__":
    main()
