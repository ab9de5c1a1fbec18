"""Fetching other sites, what their pages say, and looking again whether they are there; against a site on loopback."""

import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import httpcore2
import pytest

from app.errors import InvalidInput
from app.services import link_checking
from app.services.fetcher import Fetcher
from app.services.fetching import FetchFailed, is_public
from app.services.linking import describe
from app.storage import resources

PAGE = (
    '<html><head><meta charset="{0}"><title>\n Plain  title </title>'
    '<meta property="og:title" content="任务 &amp; 进程">'
    '<meta name="description" content="{1}"><meta property="og:site_name" content="Some site"></head><body>x</body>'
)


PAGE_HEADERS = {"Content-Type": "text/html", "ETag": '"1"'}
ANSWERS = {
    "page": (200, PAGE.format("gb18030", "d" * 400).encode("gb18030"), PAGE_HEADERS),
    "moved": (301, b"", {"Location": "/page"}),
    "found": (302, b"", {"Location": "/page"}),
    "loop": (302, b"", {"Location": "/loop"}),
    "large": (200, b"<title>Large</title>" + b"x" * 5_000_000, {"Content-Type": "text/html"}),
    "etag": (200, b"", {"ETag": '"1"'}),
    "head-405": (200, b"", {}),
}


class Site(BaseHTTPRequestHandler):
    """The pages of another site; the rest of the path of some says what they answer."""

    seen: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self):
        self.seen.append((self.command, self.path))
        name, _, rest = self.path.strip("/").partition("/")
        status, body, headers = ANSWERS.get(name, (404, b"", {}))
        if name == "status":
            status = int(rest)
        elif name == "to":
            status, headers = 302, {"Location": rest}
        elif name == "slow":
            self.send_response(200)
            self.end_headers()
            self.server.stop.wait(20)
            return
        elif name in ("drip-headers", "continue"):
            line = b"HTTP/1.1 100 Continue\r\n\r\n" if name == "continue" else b"X-Header: more\r\n"
            self.wfile.write(b"" if name == "continue" else b"HTTP/1.1 200 OK\r\n")
            with suppress(BrokenPipeError, ConnectionResetError):
                while not self.server.stop.wait(0.2):
                    self.wfile.write(line)
            return
        if (name, self.command) == ("head-405", "HEAD"):
            status = 405
        if self.headers.get("If-None-Match") == headers.get("ETag", ""):
            status, body = 304, b""
        self.answer(status, body, headers)

    do_HEAD = do_GET  # noqa: N815  the library's name

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            with suppress(BrokenPipeError, ConnectionResetError):  # the reader has seen enough
                self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.stop = threading.Event()
    Site.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


FETCHER = Fetcher(may_be_private=True)


def test_a_page_says_what_it_is(site):
    found = describe(f"{site}/found", FETCHER)
    assert (found.url, found.title, found.site) == (f"{site}/page", "任务 & 进程", "Some site")
    assert len(found.description) == 300
    assert found.description.endswith("…")


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "unicode_escape", "hz", "rot13", "é"])
def test_an_encoding_that_pages_do_not_have_is_passed_over(site, monkeypatch, charset):
    title = r"A \u0041 +AGE- ~{VPND~} and-so"
    head = f'<meta charset="{charset}"><title>{title}</title></head>'
    monkeypatch.setitem(ANSWERS, "odd", (200, head.encode(), {"Content-Type": f"text/html; charset={charset}"}))
    assert describe(f"{site}/odd", FETCHER).title == title


@pytest.mark.parametrize("charset", ["GB2312", "Big5", "euc-kr", "Shift_JIS", "windows-1251", "ISO-8859-1", "utf-16le"])
def test_encodings_of_pages_are_read(site, monkeypatch, charset):
    title = {"euc-kr": "한국", "windows-1251": "Вопрос", "ISO-8859-1": "Café"}.get(charset, "中文")
    head = f"<title>{title}</title></head>".encode(charset)
    monkeypatch.setitem(ANSWERS, "odd", (200, head, {"Content-Type": f"text/html; charset={charset}"}))
    assert describe(f"{site}/odd", FETCHER).title == title


@pytest.mark.parametrize("path", ["status/404", "status/500", "loop", "missing"])
def test_what_cannot_be_fetched_is_told(site, path):
    with pytest.raises(InvalidInput):
        describe(f"{site}/{path}", FETCHER)


def test_only_the_beginning_of_a_page_is_read(site):
    assert len(FETCHER.fetch(f"{site}/large").body) == FETCHER.max_bytes
    assert describe(f"{site}/large", FETCHER).title == "Large"


def test_a_page_that_does_not_end_takes_no_longer_than_it_may(site):
    with pytest.raises(FetchFailed) as failed:
        Fetcher(may_be_private=True, total_s=0.5).fetch(f"{site}/slow")
    assert failed.value.kind == "timeout"


@pytest.mark.parametrize("path", ["drip-headers", "continue"])
def test_what_is_sent_byte_by_byte_is_ended(site, path):
    started = time.monotonic()
    with pytest.raises(FetchFailed) as failed:
        Fetcher(may_be_private=True, total_s=1).fetch(f"{site}/{path}")
    assert failed.value.kind == "timeout"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/page",
        "http://localhost:{port}/page",
        "http://2130706433:{port}/page",
        "http://0x7f.1:{port}/page",
        "http://[::1]:{port}/page",
        "http://[::ffff:127.0.0.1]:{port}/page",
        "http://127.1:{port}/page",
        "http://0177.0.0.1:{port}/page",
        "http://017700000001:{port}/page",
        "http://0x7f000001:{port}/page",
        "http://0:{port}/page",
        "http://localhost.:{port}/page",
        "HTTP://LOCALHOST:{port}/page",
        "http://127\u30020\u30020\u30021:{port}/page",
        "http://\uff11\uff12\uff17.0.0.1:{port}/page",
        "http://\u2460\u2461\u2466.0.0.1:{port}/page",
        "http://\u24db\u24deCalhost:{port}/page",
        "http://%31%32%37.0.0.1:{port}/page",
        "http://127.0.0.1%2f@example.org:{port}/page",
        "http://127.0.0.1:{port}\\@example.org/page",
        "http:\\\\127.0.0.1:{port}/page",
        "http://@127.0.0.1:{port}/page",
        "//127.0.0.1:{port}/page",
        "http:127.0.0.1:{port}/page",
        "http://[::ffff:7f00:1]:{port}/page",
        "http://[::ffff:0:127.0.0.1]:{port}/page",
        "http://[64:ff9b::7f00:1]:{port}/page",
        "http://[2002:7f00:1::]:{port}/page",
        "http://[::1%25lo]:{port}/page",
        "http://[::]:{port}/page",
        "http://example.org\r\nHost: localhost:{port}/page",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://0.0.0.0:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/x",
        "ftp://example.org/",
        "dict://127.0.0.1:11211/",
        "data:text/html,x",
        "jar:http://127.0.0.1:{port}!/",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
        "http://user:secret@example.org/",
        "http://example.org:25/",
        "http:///nothing",
        "javascript:alert(1)",
        "",
        "http://[::1",
        "http://exa\u0000mple.org/",
    ],
)
def test_addresses_that_are_not_public_are_never_asked(site, url):
    with pytest.raises(FetchFailed) as failed:
        Fetcher().fetch(url.format(port=site.rpartition(":")[2]))
    assert failed.value.kind in ("refused", "no host")
    assert Site.seen == []


def test_a_redirect_is_looked_at_like_a_first_address(site):
    for target in ("file:///etc/passwd", "http://user:x@127.0.0.1/", "http://example.org:22/", "http://[::1"):
        with pytest.raises(FetchFailed) as failed:
            FETCHER.fetch(f"{site}/to/{target}")
        assert failed.value.kind == "refused"


class Names:
    """A resolver in which a name has the next of its addresses each time it is asked, and the last one from then on.

    The one public address is that of our site here: all else happens as it does on the Internet.
    """

    PUBLIC = "93.184.216.34"

    def __init__(self, monkeypatch, site, **known):
        self.known, self.asked, self.connected = known, [], []
        self.resolve, self.connect = socket.getaddrinfo, httpcore2.SyncBackend.connect_tcp
        self.port = int(site.rpartition(":")[2])
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)
        monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", self.connect_tcp())

    def getaddrinfo(self, host, port, *args, **more):
        answers = self.known.get(host.partition(".")[0])
        if answers is None:
            return self.resolve(host, port, *args, **more)
        self.asked.append(host)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect_tcp(self):
        def connect(backend, host, port, *args, **more):
            self.connected.append(host)
            return self.connect(backend, "127.0.0.1" if host == self.PUBLIC else host, self.port, *args, **more)

        return connect


def test_the_connection_goes_to_the_address_that_was_looked_at(site, monkeypatch):
    """DNS rebinding: the second answer is not even asked for."""
    names = Names(monkeypatch, site, rebind=[[Names.PUBLIC], ["127.0.0.1"]])
    assert Fetcher().fetch("http://rebind.example/page").status == 200
    assert (names.asked, names.connected) == (["rebind.example"], [Names.PUBLIC])
    with pytest.raises(FetchFailed) as failed:
        Fetcher().fetch("http://rebind.example/page")
    assert (failed.value.kind, names.connected) == ("refused", [Names.PUBLIC])


def test_a_name_with_one_private_address_is_refused(site, monkeypatch):
    names = Names(monkeypatch, site, mixed=[[Names.PUBLIC, "10.0.0.1"]])
    with pytest.raises(FetchFailed):
        Fetcher().fetch("http://mixed.example/page")
    assert names.connected == []


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{port}/page", "//127.0.0.1:{port}/page", "http://inside.example/page", "http://[::1]:{port}/page",
     "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "http://public.example:22/", "http://a:b@public.example/"],
)  # fmt: skip
def test_a_redirect_from_outside_leads_to_no_place_inside(site, monkeypatch, target):
    names = Names(monkeypatch, site, public=[[Names.PUBLIC]], inside=[["192.168.0.1"]])
    with pytest.raises(FetchFailed) as failed:
        Fetcher().fetch(f"http://public.example/to/{target.format(port=names.port)}")
    assert failed.value.kind == "refused"
    assert names.connected == [Names.PUBLIC]
    assert [path.partition("/")[0] or path.split("/")[1] for _, path in Site.seen] == ["to"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),  # a public address, as a network without IPv4 reaches it
        ("2002:a00:1::1", False),
        ("2001:0:7f00:1::", False),
        ("::ffff:0:127.0.0.1", False),
        ("::ffff:0:7f00:1", False),
        ("::fffe:7f00:1", False),
        ("::ffff:169.254.169.254", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("4000::1", False),
        ("ff0e::1", False),
        ("192.0.0.9", False),
        ("192.88.99.1", False),
        ("198.18.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::127.0.0.1", False),
        ("64:ff9b:1::1", False),
        ("fec0::1", False),
    ],
)
def test_public_addresses(address, public):
    assert is_public(address) == public


@pytest.fixture
def cards(library, site):
    paths = ("page", "status/404", "status/500", "moved", "head-405", "etag")
    listed = "".join(f"  - url: {site}/{path}\n    title: {path}\n" for path in paths)
    library.write("x/links.md", f"---\ntitle: Links\nlang: en\nresources:\n{listed}---\nText\n")
    library.sync()
    return site


def states(library, site):
    with library.database.read() as session:
        return {
            resource.url.removeprefix(f"{site}/"): resource.state
            for resource in resources.due(session, None, 1000)
            if resource.url.startswith(site)
        }


def check(library, **options):
    return link_checking.check(library.database, FETCHER, pause=lambda _: None, **options)


@pytest.fixture(autouse=True)
def _only_our_own(monkeypatch):
    """The other cards of the test library lead to the Internet, which tests do not ask."""
    due = resources.due

    def ours(session, moment, limit):
        return [found for found in due(session, moment, limit) if "127.0.0.1" in found.url]

    monkeypatch.setattr(resources, "due", ours)


def test_links_are_looked_at_and_their_state_is_kept(library, cards):
    report = check(library)
    assert states(library, cards) == {
        "page": "ok",
        "status/404": "unknown",  # once is not gone
        "status/500": "unknown",
        "moved": "moved",
        "head-405": "ok",
        "etag": "ok",
    }
    assert report.moved == [(f"{cards}/moved", f"{cards}/page")]
    assert next(method for method, path in Site.seen if path == "/page") == "HEAD"
    Site.seen.clear()
    check(library)
    assert Site.seen == []  # nothing is due


def test_only_three_failures_with_days_between_are_the_end(library, cards, monkeypatch):
    clock = {"ahead": timedelta(0)}
    real = link_checking.now
    monkeypatch.setattr(link_checking, "now", lambda: real() + clock["ahead"])
    for _ in range(5):
        check(library, everything=True)
    assert states(library, cards)["status/404"] == "unknown"
    for days in (2, 5):
        clock["ahead"] = timedelta(days=days)
        report = check(library)
    assert states(library, cards)["status/404"] == "gone"
    assert states(library, cards)["status/500"] == "unknown"
    assert report.gone == [f"{cards}/status/404"]
    with library.database.read() as session:
        (card,) = resources.gone_page(session, number=1, size=10).items
    assert (card.slug, card.title) == ("links", "status/404")


def test_a_page_that_came_back_is_fine_again(library, cards):
    with library.database.write() as session:
        for resource in resources.due(session, None, 100):
            resource.failures, resource.state = 2, "unknown"
            session.add(resource)
    check(library, everything=True)
    with library.database.read() as session:
        assert {found.failures for found in resources.due(session, None, 100) if found.state == "ok"} == {0}


def test_what_did_not_change_is_not_sent_again(library, cards):
    check(library)
    with library.database.read() as session:
        assert any(resource.etag == '"1"' for resource in resources.due(session, None, 100))
    check(library, everything=True)
    assert states(library, cards)["etag"] == "ok"


def test_one_host_is_not_asked_too_fast(library, cards):
    pauses = []
    link_checking.check(library.database, FETCHER, pause=pauses.append)
    assert len(pauses) == 5
    assert all(0 < pause <= 1 for pause in pauses)


def test_one_odd_page_keeps_no_other_from_being_looked_at(library, cards):
    with library.database.write() as session:
        for resource in resources.due(session, None, 100):
            resource.etag, resource.failures = '"caf\u00e9"', 80
            session.add(resource)
    assert check(library, everything=True).counts.total() == 6
    assert states(library, cards)["page"] == "ok"
