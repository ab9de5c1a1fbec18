"""The people of several hosts: they write, propose and review through a balancer, and look at each host."""

import json
import random
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tests.soak.installation import Answer, Person, ask
from tests.soak.ledger import Ledger
from tests.soak.many import PEOPLE, Host, Question
from tests.soak.traffic import hash_of

SHOWN_WITHIN_S = 1.0
FOUND_WITHIN_S = 2.0
SETTLED_S = 4.0  # after which a host that came back has to keep to the bounds
PAUSE_S = 0.1


class Crowd:
    """All of them."""

    def __init__(self, hosts: list[Host], port: int, people: list[Person], seed: str) -> None:
        self.hosts, self._port, self._people, self._seed = hosts, port, people, seed
        self.questions: list[Question] = []
        self._proposals: list[tuple[int, str, Question]] = []
        self.ledger = Ledger()
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Let each do what they do, again and again."""
        for number, deed in enumerate((self._write, self._write, self._review, *[self._look] * 3)):
            chance = random.Random(f"{self._seed}-{number}")
            self._threads.append(threading.Thread(target=self._live, args=(deed, chance, number), daemon=True))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let each end what they are about."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def violated(self, what: str) -> None:
        """Note what must not happen, and tell it at once."""
        self.ledger.violated(what)
        print(f"  VIOLATION {what}", flush=True)

    def _live(self, deed: Callable[[random.Random, int], None], rng: random.Random, number: int) -> None:
        while not self._is_over.wait(PAUSE_S):
            try:
                deed(rng, number)
            except Exception as error:
                self.violated(f"{deed.__name__}: {error!r}")
                raise

    def _write(self, rng: random.Random, number: int) -> None:
        person = self._people[rng.randrange(PEOPLE // 2)]
        mine = [
            question
            for question in self.questions
            if question.words and not question.is_turning and hash_of(question.slug) % 2 == number
        ]
        there, gone = ([each for each in mine[-30:] if each.is_deleted is is_gone] for is_gone in (False, True))
        turned = rng.choices((there, gone, None), (1, 1, 8))[0]
        word = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=14))
        if turned:
            self._turn(person, rng.choice(turned))
            return
        if not there or rng.random() < 0.4:
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
        question = rng.choice(there[-15:])
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
                    self.violated(f"{host.name} does not show {slug} to its author ({page.status})")

    def _turn(self, person: Person, question: Question) -> None:
        """Delete what is there, and bring back what is deleted."""
        question.is_turning = True
        path = "restoration" if question.is_deleted else "deletion"
        answer = self._by_form(f"/questions/{question.slug}/{path}", person, b"reason=soak")
        if answer is None or answer.status == 503:
            self.ledger.count("refused" if answer else "no answer")
        elif answer.status != 303:
            self.violated(f"{path} of {question.slug}: {answer.status} {answer.body[:200]!r}")
        else:
            question.is_deleted, question.turned_at = not question.is_deleted, time.monotonic()
            question.is_turning = False
            self.ledger.count("deleted" if question.is_deleted else "restored")

    def _review(self, rng: random.Random, _: int) -> None:
        if not self._proposals:
            return
        proposal, word, question = self._proposals.pop(0)
        person = self._people[rng.randrange(PEOPLE // 2)]
        page = self._by_form(f"/proposals/{proposal}", person)
        if page is None or page.status != 200:
            self._proposals.append((proposal, word, question))
            return
        seen = re.search(rb'name="seen" value="([^"]*)"', page.body)
        assert seen
        answer = self._by_form(f"/proposals/{proposal}/approval", person, b"seen=" + seen[1])
        self._acknowledge(answer, 303, question, word, "approved")

    def _acknowledge(self, answer: Answer | None, status: int, question: Question, word: str, what: str) -> None:
        if answer is None or answer.status == 503:
            self.ledger.count("refused" if answer else "no answer")
            return
        if answer.status != status:
            self.violated(f"{what} {question.slug}: {answer.status} {answer.body[:200]!r}")
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
        turned_at, is_deleted = question.turned_at, question.is_deleted
        if question.is_turning or asked_at - turned_at < SHOWN_WITHIN_S:
            return
        is_settled = asked_at - host.well_since > SETTLED_S
        try:
            answer = host.ask("GET", f"/questions/{question.slug}", None, {"Accept-Encoding": "identity"})
            if question.is_turning or question.turned_at != turned_at:  # meanwhile
                return
            if is_deleted:
                self._look_at_grave(host, question, answer)
            else:
                self._look_at_page(host, question, answer, asked_at)
            if is_settled and asked_at - max(question.times[0], turned_at) > FOUND_WITHIN_S:
                self._search(host, question)
        except OSError:
            self.ledger.count("host away")

    def _look_at_grave(self, host: Host, question: Question, answer: Answer) -> None:
        if answer.status not in (410, 503):
            self.violated(f"{host.name} answers {answer.status} for {question.slug}, which is deleted")
        self.ledger.count("pages looked at" if answer.status == 410 else "host away")

    def _look_at_page(self, host: Host, question: Question, answer: Answer, asked_at: float) -> None:
        if answer.status == 503:
            self.ledger.count("host away")
            return
        latest = sum(at < asked_at - SHOWN_WITHIN_S for at in question.times)
        page = answer.body.decode()
        good = [*question.words[max(0, latest - 1) :], *question.doubts]
        if latest and (answer.status != 200 or not any(word in page for word in good)):
            self.violated(f"{host.name} shows an old {question.slug}, or none ({answer.status})")
        self.ledger.count("pages looked at")

    def _search(self, host: Host, question: Question) -> None:
        asked_at, word, turned_at = time.monotonic(), question.words[-1], question.turned_at
        if asked_at - question.times[-1] < FOUND_WITHIN_S or question.doubts:
            return
        answer = host.ask("GET", f"/api/v1/search?q={word}")
        is_as_it_was = word == question.words[-1] and turned_at == question.turned_at and not question.is_turning
        if answer.status != 200:
            self.ledger.count("host away")
        elif is_as_it_was and host.well_since < asked_at:
            found = [hit["slug"] for hit in json.loads(answer.body)["hits"]]
            if (question.slug in found) is question.is_deleted:
                self.violated(
                    f"{host.name} finds {question.slug}: {question.slug in found}, and ought to do the contrary"
                )
            self.ledger.count("searches in vain" if question.is_deleted else "searches")

    def _by_form(self, path: str, person: Person, body: bytes | None = None) -> Answer | None:
        headers = {"Cookie": f"omniracle_session={person.session}", "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("GET" if body is None else "POST", path, body or b"", headers)

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
