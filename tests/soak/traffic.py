"""People: some write, some read, all at once, and each looks at every answer that they get."""

import hashlib
import json
import random
import re
import string
import time
from collections.abc import Callable
from io import BytesIO
from threading import Event, Thread
from typing import Self
from urllib.parse import quote, urlencode

from PIL import Image

from app.services.drafting import MAX_DRAFTS
from tests.soak.installation import Answer, Installation, Person
from tests.soak.ledger import Ledger, Question, Text

WRITERS, READERS = 3, 2
PAUSE_S = 0.02
LEAKS = re.compile(rb"Traceback|sqlite3?\.|sqlalchemy|File \"|\.py\b|/var/|/tmp/|omniracle\.db|Errno")
CHINESE = re.compile("[\u4e00-\u9fff]")


class Chance(random.Random):
    """What one person does next; the same in every run with the same seed."""

    def __init__(self, seed: str, number: int) -> None:
        super().__init__(seed)
        self.number = number  # of the person; each writer has questions of its own


class Traffic:
    """Runs until it is stopped; `drops` says whether connections may break, as they do when workers are killed."""

    def __init__(self, site: Installation, ledger: Ledger, seed: str, *, drops: bool) -> None:
        self._site, self._ledger, self._drops = site, ledger, drops
        self._is_over = Event()
        people: list[Callable[[Chance], None]] = [self._write] * WRITERS + [self._read] * READERS
        self._threads = [
            Thread(target=self._live, args=(what, Chance(f"{seed}-{number}", number)), daemon=True)
            for number, what in enumerate(people)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _live(self, what: Callable[[Chance], None], rng: Chance) -> None:
        while not self._is_over.is_set():
            try:
                what(rng)
            except Exception as error:
                self._ledger.violated(f"{what.__name__}: {error!r}")
                raise
            time.sleep(PAUSE_S)

    # Writing

    def _write(self, rng: Chance) -> None:
        mine = [
            question
            for question in list(self._ledger.questions.values())
            if question.doubt is None and hash_of(question.slug) % WRITERS == rng.number
        ]
        there, gone = ([each for each in mine if each.is_deleted is is_gone] for is_gone in (False, True))
        kind = rng.choices(("new", "change", "delete", "restore", "draft", "image"), (4, 5, 1, 0.7, 2, 0.5))[0]
        person = self._site.person()
        if kind == "draft":
            self._draft(rng, person)
        elif kind == "image":
            self._image(rng, person)
        elif kind == "restore" and gone:
            self._turn(person, rng.choice(gone), "restored")
        elif kind in ("new", "restore") or not there:
            self._new(rng, person)
        elif kind == "change":
            self._change(rng, person, rng.choice(there[-20:]))
        else:
            self._turn(person, rng.choice(there), "deleted")

    def _new(self, rng: Chance, person: Person) -> None:
        text = made_text(rng)
        while hash_of(f"paper-{text.word}") % WRITERS != rng.number:
            text = made_text(rng)
        question = Question(f"paper-{text.word}", doubt=text)
        self._ledger.questions[question.slug] = question
        body = {
            "title": f"Paper {text.word}",
            "lang": "en",
            "tags": ["soak", f"t{rng.randrange(9)}"],
            "body_markdown": text.body,
            "resources": [{"url": f"https://example.org/{text.word}", "title": "Source"}],
        }
        answer = self._by_token("POST", "/api/v1/questions", person, body)
        if answer is not None and answer.status == 201:
            if json.loads(answer.body)["slug"] != question.slug:
                self._ledger.violated(f"{question.slug} became {json.loads(answer.body)['slug']}")
            self._acknowledged("new", question, text)
        elif answer is not None and answer.status == 429:
            del self._ledger.questions[question.slug]

    def _change(self, rng: Chance, person: Person, question: Question) -> None:
        text = question.doubt = made_text(rng)
        base = {"If-Match": f'"{len(question.revisions)}"'}
        answer = self._by_token("PUT", f"/api/v1/questions/{question.slug}", person, {"body_markdown": text.body}, base)
        if answer is not None and answer.status == 200:
            self._acknowledged("changed", question, text)
        elif answer is not None and answer.status == 429:
            question.doubt = None

    def _acknowledged(self, what: str, question: Question, text: Text) -> None:
        question.revisions.append(text)
        question.doubt = None
        question.is_settled = False
        self._ledger.count(what)

    def _turn(self, person: Person, question: Question, what: str) -> None:
        question.doubt = what
        path = {"deleted": "deletion", "restored": "restoration"}[what]
        answer = self._by_form(f"/questions/{question.slug}/{path}", person, [("reason", "soak")])
        if answer is not None and answer.status == 303:
            question.doubt, question.is_deleted, question.is_settled = None, what == "deleted", False
            self._ledger.count(what)

    def _draft(self, rng: Chance, person: Person) -> None:
        text = made_text(rng)
        window = f"w{rng.number}-{rng.randrange(MAX_DRAFTS // WRITERS)}"
        name = (person.account, f"new~{window}")
        known = self._ledger.drafts.setdefault(name, [])
        known.append(text.body)
        fields = [("title", text.word), ("body", text.body), ("window", window), ("draft", f"new~{window}")]
        answer = self._by_form("/drafts/new", person, fields)
        if answer is not None and answer.status == 204:
            known[:] = [text.body]
            self._ledger.kept_drafts.add(name)
            self._ledger.count("drafts")

    def _image(self, rng: Chance, person: Person) -> None:
        written = BytesIO()
        Image.frombytes("RGB", (90, 60), rng.randbytes(90 * 60 * 3)).save(written, "PNG")
        boundary = "b" + rng.randbytes(8).hex()
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="x.png"\r\n\r\n'
        body = head.encode() + written.getvalue() + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "application/json"}
        answer = self._asked("POST", "/images/new", body, {"Cookie": f"omniracle_session={person.session}", **headers})
        if answer is not None and answer.status == 201:
            self._ledger.images.add(json.loads(answer.body)["url"])
            self._ledger.count("images")

    # Reading

    def _read(self, rng: Chance) -> None:
        known = list(self._ledger.questions.values())
        question = rng.choice(known) if known else None
        paths = ["/", "/questions", "/tags/soak", f"/search?q={quote(made_text(rng).word)}"]
        if question is not None and question.revisions:
            paths += [f"/questions/{question.slug}", f"/search?q={question.revisions[-1].word}"]
            paths += [f"/questions/{question.slug}/history"]
        language = rng.choice(("en", "zh-CN"))
        headers = {"Accept": "text/html", "Accept-Language": language, "Accept-Encoding": "identity"}
        if rng.random() < 0.3:
            headers["Cookie"] = f"omniracle_session={self._site.person().session}"
        self._asked("GET", rng.choice(paths), None, headers)
        self._ledger.count("reads")

    # Asking

    def _by_token(
        self, method: str, path: str, person: Person, body: object, headers: dict[str, str] | None = None
    ) -> Answer | None:
        own = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json", **(headers or {})}
        return self._asked(method, path, json.dumps(body).encode(), own)

    def _by_form(self, path: str, person: Person, fields: list[tuple[str, str]]) -> Answer | None:
        headers = {
            "Cookie": f"omniracle_session={person.session}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "text/html",
            "Accept-Language": "zh-CN",
        }
        return self._asked("POST", path, urlencode(fields).encode(), headers)

    def _asked(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer | None:
        """Return the answer, None when there was none; note one that must not be."""
        try:
            answer = self._site.ask(method, path, body, headers)
        except OSError as error:
            self._ledger.count("no answer")
            if not self._drops:
                self._ledger.violated(f"{method} {path} was not answered: {error!r}")
            return None
        if answer.status == 503:
            self._ledger.count("503")
        if problem := flaw_of(answer, headers):
            self._ledger.violated(f"{method} {path}: {answer.status} {problem}: {answer.body[:300]!r}")
        return answer


def flaw_of(answer: Answer, headers: dict[str, str]) -> str | None:
    """Return what is wrong with an answer whatever happens to the site; None for a good one."""
    if answer.status in (200, 201, 204, 303, 304, 404, 410, 429):
        return None
    if answer.status != 503 or "retry-after" not in answer.headers:
        return "is no answer that we expect, or says not when to come again"
    if LEAKS.search(answer.body):
        return "tells about the inside"
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return None if json.loads(answer.body).get("status") == 503 else "is no problem document"
    is_chinese = 'lang="zh' in answer.body.decode() and CHINESE.search(answer.body.decode())
    if headers.get("Accept-Language") == "zh-CN" and not is_chinese:
        return "is not in the reader's language"
    return None


def made_text(rng: random.Random) -> Text:
    """Return a text of one to thirty kilobytes around a word of its own."""
    word = "".join(rng.choices(string.ascii_lowercase, k=14))
    filler = " ".join(rng.choices(("paper", "salt", "answers", "worker", "kernel"), k=rng.choice((200, 800, 5000))))
    return Text(word, f"The word is {word}.\n\n## Part\n\n{filler}\n")


def hash_of(text: str) -> int:
    """Return a number that is the same in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
