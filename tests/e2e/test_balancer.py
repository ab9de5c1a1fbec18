"""nginx before several hosts, as docs/deploy says: whoever is away is passed over, and no form is sent twice."""

import socket
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.servers import documented_nginx, free_port, get, post, proxying

pytestmark = pytest.mark.e2e

BOUND_S = 12  # two that take no connection, for two seconds each, and a busy machine; by itself nginx waits for 60


class Quiet(ThreadingHTTPServer):
    """A server that does not write about connections that nginx has ended."""

    def handle_error(self, *_):
        pass


class Host:
    """A host that counts what it is asked and says `status`, or nothing at all."""

    def __init__(self, status):
        self.status, self.asked = status, Counter()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                host.asked[self.command] += 1
                if host.status is None:
                    self.close_connection = True
                    return
                self.send_response(host.status)
                self.send_header("Content-Length", "9")
                self.end_headers()
                self.wfile.write(b"of a host")

            def do_POST(self):
                self.do_GET()

            def log_message(self, *_):
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def vanished():
    """Yield the port of a host that is no longer there: what is sent to it gets no answer, not even a refusal."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # whoever finds the queue full is left without an answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        with socket.socket() as probe, pytest.raises(TimeoutError):
            probe.settimeout(0.3)
            probe.connect(listening.getsockname())
        yield listening.getsockname()[1]


@pytest.fixture
def host():
    """Make hosts that say so."""
    with ExitStack() as stack:

        def make(status=200):
            made = Host(status)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def balancer(tmp_path):
    """Run nginx before three ports; give its address."""
    with ExitStack() as stack:

        def run(*ports):
            port = free_port()
            stack.enter_context(proxying(documented_nginx(tmp_path, port, list(ports)), port, tmp_path))
            return f"http://127.0.0.1:{port}"

        yield run


def test_hosts_that_refuse_and_that_have_vanished_are_passed_over(host, balancer):
    well = host()
    with vanished() as nowhere:
        url = balancer(free_port(), nowhere, well.port)
        assert [get(url, timeout=BOUND_S).status_code for _ in range(20)] == [200] * 20
        assert [post(url, data={"a": "form"}, timeout=BOUND_S).status_code for _ in range(20)] == [200] * 20
    assert well.asked == {"GET": 20, "POST": 20}


def test_a_form_goes_to_the_next_host_when_it_was_sent_to_none(host, balancer):
    well = host()
    with vanished() as nowhere:
        url = balancer(nowhere, free_port(), well.port)
        assert [post(url, data={"a": "form"}, timeout=BOUND_S).status_code for _ in range(3)] == [200] * 3
    assert well.asked == {"POST": 3}


@pytest.mark.parametrize(("status", "told"), [(503, 503), (None, 502)])
def test_a_form_is_sent_to_one_host_alone(host, balancer, status, told):
    hosts = [host(status) for _ in range(3)]
    url = balancer(*(each.port for each in hosts))
    assert post(url, data={"a": "form"}).status_code == told
    assert sum((each.asked for each in hosts), Counter()) == {"POST": 1}


def test_one_that_cannot_answer_now_is_left_out_for_a_while(host, balancer):
    ill, *well = host(503), host(), host()
    url = balancer(ill.port, *(each.port for each in well))
    assert [get(url).status_code for _ in range(20)] == [200] * 20
    assert ill.asked["GET"] < 10
    assert all(each.asked["GET"] > 5 for each in well)


def test_when_no_host_can_answer_readers_get_its_page_and_the_next_one_that_can_is_asked_at_once(host, balancer):
    hosts = [host(503) for _ in range(3)]
    url = balancer(*(each.port for each in hosts))
    answers = [get(url) for _ in range(10)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(503, "of a host")}
    hosts[1].status = 200
    assert [get(url).status_code for _ in range(10)] == [200] * 10
