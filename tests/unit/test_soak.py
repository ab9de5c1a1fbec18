"""The soak of several hosts fails when it finds something, and when it did nothing by which it could have."""

from collections import Counter
from types import SimpleNamespace

import pytest

from tests.soak import hosts
from tests.soak.ledger import Ledger

MINUTES = 5


def enough():
    """A ledger of a run in which everything was done."""
    needed = Counter(dict.fromkeys((*hosts.NEEDED, "approved"), 1))
    return Ledger(counts=needed, tried={fault: Counter() for fault in hosts.FAULTS})


@pytest.fixture
def run(monkeypatch):
    """Return the exit status of the command, when the soak itself finds so."""

    def told(ledger, minutes=MINUTES):
        monkeypatch.setattr("sys.argv", ["soak", "--minutes", str(minutes)])
        monkeypatch.setattr(hosts, "soak", lambda *_: SimpleNamespace(ledger=ledger))
        with pytest.raises(SystemExit) as ended:
            hosts.main()
        return ended.value.code

    return told


def test_a_run_in_which_all_was_done_and_nothing_found_is_a_success(run):
    assert run(enough()) == 0


def test_a_violation_is_a_failure(run, capsys):
    ledger = enough()
    ledger.violated("red has lost paper-x")
    assert run(ledger) == 1
    assert "VIOLATION red has lost paper-x\n" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["created", "changed", "deleted", "own changes looked at", "pages looked at",
                                  "searches", "searches in vain", "approved"])  # fmt: skip
def test_a_run_without_what_it_is_about_is_a_failure(run, capsys, what):
    ledger = enough()
    del ledger.counts[what]
    assert run(ledger) == 1
    assert f"NOT PROVED {what} 0\n" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["kill", "freeze", "cut", "hush", "empty", "crash"])
def test_a_run_without_one_of_the_faults_is_a_failure_when_there_was_time_for_it(run, capsys, fault):
    ledger = enough()
    del ledger.tried[fault]
    assert run(ledger) == 1
    assert f"NOT PROVED {fault}: not tried\n" in capsys.readouterr().out
    assert run(ledger, minutes=1) == 0


def test_every_fault_can_be_made():
    assert all(callable(getattr(hosts.Soak, f"_{fault}")) for fault in hosts.FAULTS)


def test_without_its_programs_it_fails_and_says_which(monkeypatch):
    monkeypatch.setattr("sys.argv", ["soak"])
    monkeypatch.setattr(hosts, "cluster", lambda _: pytest.skip("PostgreSQL is not installed"))
    with pytest.raises(SystemExit) as ended:
        hosts.main()
    assert ended.value.code == "Nothing was tried: PostgreSQL is not installed"
