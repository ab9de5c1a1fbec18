"""Three hosts, one PostgreSQL, and everything that may befall them: `python -m tests.soak.hosts --minutes 5 --seed 1`.

Through a balancer people write, propose and review, while readers ask each host whether it shows in time what was
acknowledged. Meanwhile hosts are killed, stopped, cut off from the database, brought back empty, and the database is
crashed.
"""

import argparse
import json
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.databases import Cluster, cluster
from tests.soak.installation import Answer, Person, ask, traceback_in
from tests.soak.ledger import Ledger
from tests.soak.many import PEOPLE, Host, Question, balancer, losses, people_of
from tests.soak.traffic import hash_of

HOSTS = ("red", "green", "blue")
SHOWN_WITHIN_S = 1.0
FOUND_WITHIN_S = 2.0
FROZEN_S = (3, 6, 25)  # the last is longer than PostgreSQL keeps a lock for who gives no sign of life
SETTLED_S = 4.0  # after which a host that came back has to keep to the bounds
PAUSE_S = 0.1


class Soak:
    """All of it."""

    def __init__(self, hosts: list[Host], port: int, cluster: Cluster, people: list[Person], seed: str) -> None:
        self.hosts, self._port, self._cluster, self._people = hosts, port, cluster, people
        self._seed = seed
        self.questions: list[Question] = []
        self._proposals: list[tuple[int, str, Question]] = []
        self.ledger = Ledger()
        self._is_over = threading.Event()

    def run(self, until: float) -> None:
        """Let people do this and that, and let things happen, until then."""
        deeds = [self._write, self._write, self._review, *[self._look] * 3]
        threads = []
        for number, deed in enumerate(deeds):
            chance = random.Random(f"{self._seed}-{number}")
            threads.append(threading.Thread(target=self._live, args=(deed, chance, number), daemon=True))
        for thread in threads:
            thread.start()
        rng = random.Random(f"{self._seed}-events")
        while time.monotonic() < until:
            time.sleep(rng.uniform(4, 8))
            event = rng.choice((self._kill, self._freeze, self._cut, self._empty, self._crash))
            print(f"{time.strftime('%H:%M:%S')} {event(rng)}; {self.ledger.listed()}", flush=True)
        time.sleep(SETTLED_S)
        self._is_over.set()
        for thread in threads:
            thread.join()

    def _live(self, deed: Callable[[random.Random, int], None], rng: random.Random, number: int) -> None:
        while not self._is_over.wait(PAUSE_S):
            try:
                deed(rng, number)
            except Exception as error:
                self._violated(f"{deed.__name__}: {error!r}")
                raise

    def _violated(self, what: str) -> None:
        self.ledger.violated(what)
        print(f"  VIOLATION {what}", flush=True)

    # What happens

    def _kill(self, rng: random.Random) -> str:
        host = rng.choice(self.hosts)
        host.kill()
        time.sleep(rng.uniform(1, 5))
        host.start()
        return f"{host.name} was killed"

    def _empty(self, rng: random.Random) -> str:
        host = rng.choice(self.hosts)
        host.kill()
        host.empty()
        host.start()
        return f"{host.name} came back empty"

    def _freeze(self, rng: random.Random) -> str:
        host = rng.choice(self.hosts)
        host.well_since = float("inf")
        host.signal(signal.SIGSTOP)
        time.sleep(seconds := rng.choice(FROZEN_S))
        host.signal(signal.SIGCONT)
        self._wait_until_ready(host)
        return f"{host.name} stood still for {seconds} s"

    def _cut(self, rng: random.Random) -> str:
        host = rng.choice(self.hosts)
        host.well_since = float("inf")
        host.wire.cut()
        time.sleep(rng.uniform(3, 8))
        host.wire.mend()
        self._wait_until_ready(host)
        return f"{host.name} was cut off from the database"

    def _crash(self, rng: random.Random) -> str:
        for host in self.hosts:
            host.well_since = float("inf")
        self._cluster.stop("immediate")
        time.sleep(rng.uniform(1, 4))
        self._cluster.start()
        for host in self.hosts:
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
        self._violated(f"{host.name} is not ready half a minute after it could be")
        host.well_since = time.monotonic()

    # People

    def _write(self, rng: random.Random, number: int) -> None:
        person = self._people[rng.randrange(PEOPLE // 2)]
        mine = [question for question in self.questions if question.words and hash_of(question.slug) % 2 == number]
        word = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=14))
        if not mine or rng.random() < 0.4:
            while hash_of(f"paper-{word}") % 2 != number:
                word = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=14))
            question = Question(f"paper-{word}", doubts=[word])
            self.questions.append(question)
            is_proposed = rng.random() < 0.3
            if is_proposed:
                person = self._people[PEOPLE // 2 + rng.randrange(PEOPLE // 2)]
            sent = {"title": f"Paper {word}", "lang": "en", "body_markdown": _body(word)}
            answer = self._send("POST", "/api/v1/questions", person, sent)
            if answer is not None and answer.status == 202:
                self._proposals.append((json.loads(answer.body)["proposal"], word, question))
                self.ledger.count("proposed")
            else:
                self._acknowledge(answer, 201, question, word, "created")
            return
        question = rng.choice(mine[-15:])
        question.doubts.append(word)
        answer = self._send("PUT", f"/api/v1/questions/{question.slug}", person, {"body_markdown": _body(word)})
        self._acknowledge(answer, 200, question, word, "changed")
        if answer is not None and answer.status == 200:
            self._see_own(rng.choice(self.hosts), person, question.slug, word)

    def _see_own(self, host: Host, person: Person, slug: str, word: str) -> None:
        """Look whether who has changed something sees it at once, wherever the balancer leads them."""
        headers = {"Cookie": f"omniracle_session={person.session}", "Accept-Encoding": "identity"}
        with suppress(OSError):
            page = host.ask("GET", f"/questions/{slug}", None, headers)
            if page.status != 503:
                self.ledger.count("own changes looked at")
                if word not in page.body.decode():
                    self._violated(f"{host.name} does not show {slug} to its author ({page.status})")

    def _review(self, rng: random.Random, _: int) -> None:
        if not self._proposals:
            return
        proposal, word, question = self._proposals.pop(0)
        person = self._people[rng.randrange(PEOPLE // 2)]
        headers = {"Cookie": f"omniracle_session={person.session}", "Content-Type": "application/x-www-form-urlencoded"}
        page = self._ask("GET", f"/proposals/{proposal}", b"", headers)
        if page is None or page.status != 200:
            self._proposals.append((proposal, word, question))
            return
        seen = re.search(rb'name="seen" value="([^"]*)"', page.body)
        assert seen
        answer = self._ask("POST", f"/proposals/{proposal}/approval", b"seen=" + seen[1], headers)
        self._acknowledge(answer, 303, question, word, "approved")

    def _acknowledge(self, answer: Answer | None, status: int, question: Question, word: str, what: str) -> None:
        if answer is None or answer.status == 503:
            self.ledger.count("refused" if answer else "no answer")
            return
        if answer.status != status:
            self._violated(f"{what} {question.slug}: {answer.status} {answer.body[:200]!r}")
            return
        question.words.append(word)
        question.times.append(time.monotonic())
        question.doubts.clear()
        self.ledger.count(what)

    def _look(self, rng: random.Random, _: int) -> None:
        known = [question for question in self.questions if question.words]
        host = rng.choice(self.hosts)
        if not known:
            return
        question, asked_at = rng.choice(known[-12:]), time.monotonic()
        is_settled = asked_at - host.well_since > SETTLED_S
        try:
            answer = host.ask("GET", f"/questions/{question.slug}", None, {"Accept-Encoding": "identity"})
            self._look_at_page(host, question, answer, asked_at)
            if is_settled and asked_at - question.times[0] > FOUND_WITHIN_S:
                self._search(host, question)
        except OSError:
            self.ledger.count("host away")

    def _look_at_page(self, host: Host, question: Question, answer: Answer, asked_at: float) -> None:
        if answer.status == 503:
            self.ledger.count("host away")
            return
        latest = sum(at < asked_at - SHOWN_WITHIN_S for at in question.times)
        page = answer.body.decode()
        good = [*question.words[max(0, latest - 1) :], *question.doubts]
        if latest and (answer.status != 200 or not any(word in page for word in good)):
            self._violated(f"{host.name} shows an old {question.slug}, or none ({answer.status})")
        self.ledger.count("pages looked at")

    def _search(self, host: Host, question: Question) -> None:
        asked_at, word = time.monotonic(), question.words[-1]
        if asked_at - question.times[-1] < FOUND_WITHIN_S or question.doubts:
            return
        answer = host.ask("GET", f"/api/v1/search?q={word}")
        if answer.status != 200:
            self.ledger.count("host away")
        elif word == question.words[-1] and host.well_since < asked_at:
            found = [hit["slug"] for hit in json.loads(answer.body)["hits"]]
            if question.slug not in found:
                self._violated(f"{host.name} does not find {question.slug}")
            self.ledger.count("searches")

    def _send(self, method: str, path: str, person: Person, body: dict[str, str]) -> Answer | None:
        headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json", "If-Match": "*"}
        return self._ask(method, path, json.dumps(body).encode(), headers)

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer | None:
        try:
            answer = ask(self._port, method, path, body, headers)
        except OSError:
            return None
        return None if answer.status in (502, 504) else answer  # nginx reached nobody, or lost them


def _body(word: str) -> str:
    return f"The word is {word}.\n"


def soak(folder: Path, seed: str, seconds: float, engine: str) -> Soak:
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
        done = Soak(hosts, port, running, people, seed)
        done.run(time.monotonic() + seconds)
        for loss in losses(done.questions, hosts, running.url(name)):
            done.ledger.violated(loss)
        for host in hosts:
            if found := traceback_in(host.log.read_text()):
                done.ledger.violated(f"the log of {host.name} has a traceback:\n{found}")
        return done


def main() -> None:
    """Run it as the command line says; the exit status is 1 if anything was violated."""
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
            print(f"skipped: {reason}")
            return
    print(f"all: {done.ledger.listed()}")
    for violation in done.ledger.violations:
        print(f"VIOLATION {violation}")
    sys.exit(1 if done.ledger.violations else 0)


if __name__ == "__main__":
    main()
