"""Workers that anybody can see: counted exactly, seen when they stand still, replaced without anybody noticing."""

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import pairwise

import httpx2 as httpx
import pytest
from playwright.sync_api import expect

from app.storage.schema import MIGRATIONS_DIR
from app.workers.probing import KEY_HEADER, ProbeKeys
from app.workers.processes import start_ticks
from tests.e2e.conftest import WORKERS, run, start, stop
from tests.servers import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
def own(data):
    """A server of the test's own, stopped at its end; with settings."""
    servers = []

    def begin(workers=4, **settings):
        servers.append(start(data, workers=workers, **settings))
        return servers[-1]

    yield begin
    for server in servers:
        assert stop(server) == 0


def rows(server):
    return {row["pid"]: row for row in server.get("/-/workers.json").json()["workers"]}


def metric(server, name, **labels):
    text = server.get("/metrics").text
    wanted = "".join(f'(?=[^}}]*{label}="{re.escape(value)}")' for label, value in labels.items())
    found = re.search(rf"^{name}(?:{{{wanted}[^}}]*}})? ([0-9.e+-]+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def ask(server, path="/livez"):
    """One request over a connection of its own; returns whether it was answered."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=15)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def experiment(server, **wanted):
    answers = []

    def is_cool():
        answers.append(server.post("/-/experiments", json=wanted, timeout=30))
        return answers[-1].status_code != 429 or int(answers[-1].headers["Retry-After"]) > 2

    assert eventually(is_cool, pause=0.3), "it never cooled down"
    return answers[-1]


def block(server):
    """Let one worker stand still for two seconds, as an experiment does."""
    key = ProbeKeys((server.data / "secret.key").read_bytes()).make()
    headers = {KEY_HEADER.decode(): key}

    def pause():
        with suppress(httpx.HTTPError):  # it may not come back from that
            server.post("/-/pause", headers=headers)

    return threading.Thread(target=pause)


def test_requests_add_up_exactly_also_when_workers_come_and_go(own):
    server = own()
    before = metric(server, "omniracle_requests_total")
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: ask(server), range(800)))
    victim = next(iter(rows(server)))
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: victim not in rows(server) and len(rows(server)) == 4)
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: ask(server), range(200)))
    # An answer is counted when it has been sent.
    assert eventually(lambda: metric(server, "omniracle_responses_total", route="/livez", status="2xx") == 1000)
    assert metric(server, "omniracle_request_duration_seconds_count", route="/livez") == 1000
    assert metric(server, "omniracle_requests_total") - before >= 1000

    def are_all_answered():
        told = server.get("/metrics").text
        answered = sum(map(float, re.findall(r"^omniracle_responses_total{.*} (\S+)$", told, re.MULTILINE)))
        return answered + 1 == float(re.search(r"^omniracle_requests_total (\S+)$", told, re.MULTILINE)[1])  # and this

    assert eventually(are_all_answered)


def test_a_worker_that_stands_still_is_seen_within_two_seconds_and_gets_nothing(own):
    server = own()
    blocking = block(server)
    blocking.start()
    began = time.monotonic()
    states = set()
    while time.monotonic() - began < 2:
        states |= {row["state"] for row in rows(server).values()}
        assert ask(server)  # somebody else answers
    blocking.join()
    assert "not responding" in states
    assert eventually(lambda: {row["state"] for row in rows(server).values()} == {"ok"}, 5)


def test_nobody_else_makes_a_worker_stand_still(server):
    assert server.post("/-/pause").status_code == 404
    headers = {KEY_HEADER.decode(): "0" * 64}
    assert server.post("/-/pause", headers=headers).status_code == 404


def test_a_worker_whose_loop_stands_still_too_long_is_replaced(own, tmp_path):
    server = own(2, OMNIRACLE_WATCHDOG_S="0.9")
    before = server.pids()
    block(server).start()

    def is_replaced():
        try:
            pids = server.pids()
        except httpx.HTTPError:  # the one that ended was asked
            return False
        return len(pids) == 2 and pids != before

    assert eventually(is_replaced)
    (log,) = tmp_path.glob("server-*.log")
    assert "stood still" in log.read_text()
    assert "in pause" in log.read_text()  # what it did


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ({"mode": "keep-alive", "requests": 50, "concurrency": 1}, 1),
        ({"mode": "keep-alive", "requests": 100, "concurrency": 16}, None),
        ({"mode": "new", "requests": 200}, None),
    ],
)
def test_an_experiment_counts_what_it_asked_and_nobody_else_does(server, wanted, reached):
    before = rows(server)
    answer = experiment(server, **wanted)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    contract = {"mode", "requests", "counts", "cv", "chi_square_p", "lag_agreement", "duration_ms"}
    assert contract <= body.keys()
    assert (body["mode"], body["requests"], body["failed"]) == (wanted["mode"], wanted["requests"], 0)
    assert sum(body["counts"].values()) == wanted["requests"]
    assert set(map(int, body["counts"])) == set(before)
    assert sum(number > 0 for number in body["counts"].values()) == reached or reached is None
    added = sum(row["requests"] for row in rows(server).values()) - sum(row["requests"] for row in before.values())
    assert added < 20  # our own questions
    assert server.get(f"/-/experiments/{body['id']}").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"mode": "new", "requests": 401}, 400),
        ({"mode": "new", "requests": 0}, 400),
        ({"mode": "new", "concurrency": 17}, 400),
        ({"mode": "sideways"}, 400),
        ({"mode": "new", "requests": "many"}, 400),
        ({"mode": "new", "requests": True}, 400),
        ({"mode": "blocked"}, 401),
        ([], 400),
    ],
)
def test_what_is_too_much_or_nonsense_is_refused(server, wanted, status):
    answer = server.post("/-/experiments", json=wanted)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_one_experiment_at_a_time_for_the_whole_site(server):
    experiment(server, mode="new", requests=1)
    time.sleep(1.1)
    ready = threading.Barrier(6)

    def together(_):
        wanted = {"mode": "keep-alive", "requests": 400}
        with httpx.Client(base_url=server.url, timeout=30, verify=False) as client:
            ready.wait()
            return client.post("/-/experiments", json=wanted).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(together, range(6)))
    assert set(answers) <= {200, 409, 429}
    with closing(sqlite3.connect(server.data / "omniracle.db")) as database:
        rows = database.execute("SELECT started_at, finished_at FROM experiment ORDER BY id DESC")
        times = rows.fetchmany(answers.count(200))
    # On a slow machine a second may come when the first is over, but no two at once.
    assert times
    assert all(later >= ended for (later, _), (_, ended) in pairwise(times))


def test_experiments_may_be_for_operators_or_off(own):
    server = own(2, OMNIRACLE_EXPERIMENTS="off")
    assert experiment(server, mode="new").status_code == 404
    assert "/-/experiments" not in server.get("/-/workers").text
    stop(server)
    port = int(server.url.rsplit(":", 1)[1])
    again = start(server.data, port=port, workers=2, OMNIRACLE_EXPERIMENTS="operators")
    server.process = again.process
    assert experiment(server, mode="new").status_code == 401


def test_the_command_shows_the_same_with_a_worker_that_stands_still(server):
    time.sleep(1.1)
    done = run("probe", "--mode", "blocked", "--requests", "60", "--concurrency", "4", "--json", data=server.data)
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["blocked_pid"] in server.pids()
    assert body["counts"][str(body["blocked_pid"])] == 0  # who stands still takes nothing from the common queue
    assert "was blocked" in body["conclusion"]
    time.sleep(1.1)
    done = run("probe", "--requests", "40", data=server.data)
    assert "round-robin agreement" in done.stdout


def test_a_reload_replaces_all_workers_and_nobody_notices(own):
    server = own()
    before = server.pids()
    failed, has_to_stop = [], threading.Event()

    def read():
        while not has_to_stop.is_set():
            if not ask(server, "/questions") and not ask(server, "/questions"):
                failed.append(1)
            time.sleep(0.05)  # the new workers need the processors too

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    done = run("reload", data=server.data)
    has_to_stop.set()
    for reader in readers:
        reader.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert not failed
    assert not before & server.pids()
    assert len(server.pids()) == 4
    assert f"before        {' '.join(map(str, sorted(before)))}" in done.stdout
    assert re.search(r"meanwhile +\d+ requests, 0 answered with an error", done.stdout)
    assert re.search(r"generation (\d+) before, \1 after", done.stdout)


def test_a_reload_without_a_server_is_one_clear_line(data):
    for command in ("reload", "probe"):
        done = run(command, data=data)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "serve" in done.stderr


def test_what_is_in_flight_is_answered_before_the_server_stops(own):
    server = own(2)
    answers = []
    key = ProbeKeys((server.data / "secret.key").read_bytes()).make()
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as connection:
        head = f"POST /-/pause HTTP/1.1\r\nHost: x\r\n{KEY_HEADER.decode()}: {key}\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(head.encode())
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        connection.settimeout(10)
        answers.append(connection.recv(1000))
    assert answers[0].startswith(b"HTTP/1.1 200")
    assert server.process.wait(20) == 0


def test_a_request_on_a_connection_that_was_just_accepted_is_answered_by_who_leaves(own):
    server = own(2)
    port = int(server.url.rsplit(":", 1)[1])
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    time.sleep(0.3)  # they are accepted
    before = server.pids()
    for pid in before:
        os.kill(pid, signal.SIGTERM)
    time.sleep(0.25)  # they look ten times a second; by now they leave
    for connection in connections:
        connection.settimeout(10)
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    answers = [connection.recv(1000) for connection in connections]
    for connection in connections:
        connection.close()
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert all(b"connection: close" in answer.lower() for answer in answers)
    assert eventually(lambda: bool(ask(server)) and len(server.pids() - before) == 2)


def test_a_stopped_worker_gets_nothing_and_is_not_ended_by_its_own_watchdog(own):
    server = own(4, OMNIRACLE_WATCHDOG_S="2")
    victim = min(server.pids())
    os.kill(victim, signal.SIGSTOP)
    try:
        answered = [ask(server) for _ in range(100)]
        # Of what it had accepted before nothing comes; new connections go to the others.
        assert answered.count(True) >= 99
        assert eventually(lambda: rows(server)[victim]["state"] == "not responding", 5)
        time.sleep(3)
    finally:
        os.kill(victim, signal.SIGCONT)
    assert eventually(lambda: victim in rows(server) and rows(server)[victim]["state"] == "ok", 5)


def test_dead_workers_are_replaced_while_another_one_is_stopped(own):
    server = own(3)
    stopped, *killed = sorted(server.pids())
    os.kill(stopped, signal.SIGSTOP)
    try:
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: len(set(rows(server)) - {stopped, *killed}) == 2, 8)
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_a_worker_that_cannot_start_does_not_take_the_site_with_it(own):
    server = own(3)
    victim = min(server.pids())
    lock = server.data / "workers.lock"
    lock.unlink()
    lock.mkdir()  # no new worker can enter itself
    os.kill(victim, signal.SIGKILL)
    time.sleep(4)
    assert server.process.poll() is None
    assert all(ask(server) for _ in range(20))
    lock.rmdir()
    assert eventually(lambda: len(rows(server)) == 3, 20)


def test_where_no_worker_can_start_the_server_ends_and_says_so(data):
    (data / "workers.lock").mkdir()
    done = run("serve", "--port", str(free_port()), "--workers", "2", data=data)
    assert done.returncode == 1
    assert "no worker can start" in done.stderr


def test_a_reload_that_fails_says_so_and_the_old_workers_go_on(own):
    server = own(2)
    before = server.pids()
    database = sqlite3.connect(server.data / "omniracle.db")
    database.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    database.commit()
    done = run("reload", data=server.data)
    assert done.returncode == 1
    assert "a new one did not come up" in done.stderr
    assert server.pids() == before
    newest = max(path.name[:4] for path in MIGRATIONS_DIR.glob("versions/0*.py"))
    database.execute("UPDATE alembic_version SET version_num = ?", (newest,))
    database.commit()
    database.close()
    os.kill(min(before), signal.SIGKILL)
    assert eventually(lambda: len(rows(server)) == 2 and min(before) not in rows(server))
    assert run("reload", data=server.data).returncode == 0


def test_nobody_stays_behind_when_the_parent_is_killed(data):
    server = start(data, workers=2)
    pids = server.pids()
    server.process.kill()
    server.process.wait(10)
    assert eventually(lambda: not any(start_ticks(pid) for pid in pids), 15)
    port = int(server.url.rsplit(":", 1)[1])
    assert stop(start(data, port=port, workers=2)) == 0


def test_one_server_for_each_data_folder(server):
    done = run("serve", "--port", str(free_port()), data=server.data)
    assert done.returncode == 1
    assert "A server is running" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_server_that_reloads_can_be_stopped(own):
    server = own(4)
    server.process.send_signal(signal.SIGUSR1)
    time.sleep(0.8)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(12) == 0


def test_the_badge_opens_and_shows_who_answers(page):
    page.goto("/about")
    page.get_by_role("button", name="served by worker").click()
    popover = page.get_by_role("dialog", name="Which worker answers")
    expect(popover).to_be_visible()
    expect(popover.locator(".worker-list li")).to_have_count(WORKERS)
    expect(popover.locator(".is-this")).to_have_count(1)
    popover.get_by_role("button", name="Try another worker").click()
    expect(page.locator("[data-asked]")).to_have_text(re.compile(r"Worker \d+ answered"))
    page.keyboard.press("Escape")
    expect(popover).to_be_hidden()
    expect(page.get_by_role("button", name="served by worker")).to_be_focused()


@pytest.mark.parametrize("path", ["/questions/how-requests-reach-fastapi-workers", "/-/workers"])
def test_a_reader_lets_the_server_prove_it(page, server, path):
    page.goto(path)
    time.sleep(1.1)
    page.get_by_role("button", name="1 keep-alive connection").click()
    result = page.locator("[data-experiment-result]")
    expect(result).to_contain_text("One keep-alive connection, one worker: all 200 requests")
    expect(result.locator("tr")).to_have_count(WORKERS + 1)
    assert page.url == server.url + path


def test_without_scripts_the_experiment_is_a_form(browser, server):
    context = browser.new_context(base_url=server.url, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto("/questions/fastapi-workers-celue")
    time.sleep(1.1)
    page.get_by_role("button", name="200 条新连接").click()
    expect(page.locator(".experiment-sentence")).to_contain_text("200 条")
    page.get_by_role("link", name="返回").click()
    assert page.url.endswith("/questions/fastapi-workers-celue")
    page.goto("/-/workers")
    expect(page.locator(".worker-card")).to_have_count(WORKERS)
    expect(page.locator(".experiments tbody tr").first).to_be_visible()
    context.close()
