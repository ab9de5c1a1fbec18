"""A page as the bytes that are sent, and what has to stay as it is for it to be good."""

import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import NamedTuple

from starlette.requests import Request

from app.headers import HSTS, SECURITY_HEADERS
from app.web.conditional import KEPT_HEADERS

OVERHEAD = 2000  # bytes of a page beside its body, roughly
LIFE_S = 60  # for what changes with time alone, such as the order by views
DAY_S = 86_400  # what is made of articles alone changes with the date: whether it was due to be checked again

OF_304 = {*KEPT_HEADERS, "x-served-by", *(name.lower() for name in (*SECURITY_HEADERS, HSTS[0]))}

Headers = list[tuple[bytes, bytes]]


class MadeOf(NamedTuple):
    """What a page of one question shows."""

    articles: tuple[int, ...]  # while none of these changes, nor what leads to them, it shows the same
    digest: str  # see app/services/questions.py


class Shared(NamedTuple):
    """What a route says of its answer."""

    viewed: int
    made_of: MadeOf | None

    def life_s(self) -> float:
        """Return for how many seconds it is good from now on when nobody changes anything."""
        return LIFE_S if self.made_of is None else DAY_S - time.time() % DAY_S


def share(request: Request, *, viewed: int = 0, made_of: MadeOf | None = None) -> None:
    """Let the answer to this request be kept for all anonymous readers.

    `viewed` is the article that it shows. A page that shows nothing but what it is `made_of` stays good when something
    else changes; None: it may depend on anything.
    """
    request.state.shared = Shared(viewed, made_of)


@dataclass(slots=True)
class KeptPage:
    """A page that was made once."""

    headers: Headers
    body: bytes
    etag: bytes
    route: str
    shared: Shared
    version: int  # of the content, in which it is good
    made_at: float
    good_until: float
    modified: bytes | None = None
    was_used: bool = False  # since it was last looked at for being dropped
    headers_of_304: Headers = field(init=False)
    head: bytes = field(init=False)  # the headers as they are sent
    head_of_304: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.headers_of_304 = [(name, value) for name, value in self.headers if name.decode() in OF_304]
        self.head, self.head_of_304 = _lines(self.headers), _lines(self.headers_of_304)

    @property
    def size(self) -> int:
        """The memory that it takes, in bytes."""
        return len(self.body) + OVERHEAD

    def date(self) -> None:
        """From now on it says since when it is as it is."""
        self.modified = formatdate(time.time(), usegmt=True).encode()
        for headers in (self.headers, self.headers_of_304):
            headers.append((b"last-modified", self.modified))
        self.head, self.head_of_304 = _lines(self.headers), _lines(self.headers_of_304)

    def is_known(self, headers: dict[bytes, bytes]) -> bool:
        """Say whether the client has it already (RFC 9110, 13.2.2)."""
        known = headers.get(b"if-none-match")
        if known is not None:
            return self.etag in known or known.strip() == b"*"  # its quotes stand in no other tag
        return self.modified is not None and headers.get(b"if-modified-since") == self.modified


def _lines(headers: Headers) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers)
