"""The table of workers: real processes count in it, die in it, and take each other's places."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from app.workers import layout as at
from app.workers.heartbeat import Heart
from app.workers.processes import start_ticks
from app.workers.reading import read_file, read_rows, read_totals
from app.workers.table import WorkerTable
from tests.e2e.conftest import PROJECT
from tests.loops import run

ROUTES = ("/", "/questions/{slug}")
COUNTING = """
import sys, time
from pathlib import Path
from app.workers.table import WorkerTable
table = WorkerTable(Path(sys.argv[1]), ("/", "/questions/{slug}"))
table.claim()
for number in range(int(sys.argv[2])):
    table.request_started(time.monotonic())
    table.request_ended(number % 3, 200 if number % 2 else 404, 0.004, 10)
if sys.argv[3] == "release":
    table.release()
print("done", table.slot, flush=True)
if sys.argv[3] == "stay":
    time.sleep(60)
"""


def worker(path, requests, then):
    command = [sys.executable, "-c", COUNTING, str(path), str(requests), then]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("done")
    return process


@pytest.fixture
def path(tmp_path):
    return tmp_path / "workers.table"


@pytest.fixture
def table(path):
    table = WorkerTable(path, ROUTES)
    table.claim()
    yield table
    table.release()


def test_a_worker_counts_and_reports(table):
    table.request_started(time.monotonic())
    table.request_started(time.monotonic())
    table.request_ended(1, 304, 0.0007, 1234)
    table.beat(3.5)
    (row,) = table.rows()
    assert (row.slot, row.pid, row.requests, row.in_flight, row.bytes_out) == (0, os.getpid(), 2, 1, 1234)
    assert (row.state, row.loop_lag_ms) == ("ok", 3.5)
    assert row.rss_bytes > 10_000_000
    assert abs(row.last_request_at - time.time()) < 5
    assert [sample.requests for sample in row.samples] == [0]
    totals = table.totals()
    assert totals.routes[1].buckets[0] == 1
    assert totals.routes[1].statuses == (0, 0, 1, 0, 0)
    assert totals.routes[1].seconds == pytest.approx(0.0007, abs=1e-5)


def test_many_processes_count_together_exactly_whether_they_live_end_or_are_killed(path, table):
    processes = [worker(path, 1000 + number, then) for number, then in enumerate(["stay", "stay", "release", "exit"])]
    processes[0].send_signal(signal.SIGKILL)
    for process in (processes[0], processes[2], processes[3]):
        process.wait(10)
        process.stdout.close()
    expected = 1000 + 1001 + 1002 + 1003
    assert table.totals().requests == expected
    assert {row.pid for row in table.rows()} == {os.getpid(), processes[1].pid}
    heir = worker(path, 5, "stay")  # takes a place of the dead, whose counts stay
    totals = table.totals()
    assert totals.requests == expected + 5
    assert sum(sum(route.buckets) for route in totals.routes) == expected + 5
    assert sum(sum(route.statuses) for route in totals.routes) == expected + 5
    assert totals.bytes_out == 10 * (expected + 5)
    for process in (processes[1], heir):
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_a_process_id_that_was_used_again_is_another_worker(path, table):
    table._whole[table._row + at.TICKS] -= 1  # as if this process were a later one with the same id
    assert table.rows() == []


def test_who_finds_no_place_goes_on_uncounted(path, table, caplog):
    other = worker(path.with_name("other.table"), 0, "stay")
    for slot in range(at.SLOTS):
        row = table._layout.row(slot)
        table._whole[row + at.TICKS] = start_ticks(other.pid)
        table._whole[row + at.PID] = other.pid
    late = WorkerTable(path, ROUTES)
    late.claim()
    assert late.slot == -1
    assert "all 128 places" in caplog.text
    late.request_started(time.monotonic())
    late.request_ended(0, 200, 0.1, 5)
    late.beat(0.0)
    assert len(late.rows()) == at.SLOTS
    other.kill()
    other.wait(10)
    other.stdout.close()
    assert late.rows() == []
    table.claim()
    assert [row.pid for row in late.rows()] == [os.getpid()]


@pytest.mark.parametrize("damage", ["deleted", "truncated", "overwritten", "of another version"])
def test_a_damaged_table_is_made_anew(path, table, damage, caplog):
    table.request_started(time.monotonic())
    match damage:
        case "deleted":
            path.unlink()
        case "truncated":
            (fresh := path.with_suffix(".new")).write_bytes(path.read_bytes()[:100])
            fresh.replace(path)
        case "overwritten":
            (fresh := path.with_suffix(".new")).write_bytes(b"\xff" * path.stat().st_size)
            fresh.replace(path)
        case _:
            other = WorkerTable(path, (*ROUTES, "/another"))
            path.unlink()
            other.claim()
            other.release()
    table._next_sample = 0.0
    table.beat(0.0)
    assert "enters itself again" in caplog.text
    assert read_file(path) is not None
    late = worker(path, 3, "stay")
    assert {row.pid for row in table.rows()} == {os.getpid(), late.pid}
    assert table.totals().requests == 1 + 3
    late.kill()
    late.wait(10)
    late.stdout.close()


def test_the_heart_goes_on_when_no_file_can_be_opened(table, monkeypatch):
    def refuse():
        raise OSError(24, "Too many open files")

    async def a_second() -> None:
        heart = asyncio.create_task(Heart(table, 0).beat())
        await asyncio.sleep(1.3)
        heart.cancel()

    monkeypatch.setattr("app.workers.table.rss_bytes", refuse)
    run(a_second())
    assert table.rows()[0].state == "ok"


def test_who_only_reads_needs_no_place(path, table):
    assert read_file(path.with_name("none")) is None
    table.request_started(time.monotonic())
    file = read_file(path)
    assert [row.pid for row in read_rows(file)] == [os.getpid()]
    assert read_totals(file).requests == 1


def test_a_row_that_stands_still_is_seen_as_such(table):
    table._parts[table._row + at.HEARTBEAT] -= 1.0
    assert table.rows()[0].state == "busy"
    table._parts[table._row + at.HEARTBEAT] -= 0.5
    assert table.rows()[0].state == "not responding"


def test_samples_are_kept_for_ten_minutes(table):
    for _ in range(at.SAMPLES + 7):
        table.request_started(time.monotonic())
        table._sample(1.0)
    samples = table.rows()[0].samples
    assert len(samples) == at.SAMPLES
    assert [sample.requests for sample in samples] == list(range(8, at.SAMPLES + 8))
