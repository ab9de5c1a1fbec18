"""Whatever fails, nothing that was acknowledged is lost; `make soak` tries the same for longer."""

import shutil
import subprocess

import pytest

from tests.soak.__main__ import soak
from tests.soak.faults import BRIEF, clock_set_back, disk_full, read_only

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_no_fault_loses_anything(tmp_path):
    ledger = soak(tmp_path, 1, seconds=1.5, lock_s=1)  # what it prints is shown when it fails
    assert ledger.violations == []
    assert ledger.counts["lost"] == 0
    # Without all of this, that nothing was lost would say nothing.
    possible = {fault.__name__ for fault in BRIEF} - {fault.__name__ for fault in impossible(tmp_path)}
    assert ledger.tried.keys() == possible
    assert ledger.counts["new"] + ledger.counts["changed"] >= len(BRIEF)
    assert all(ledger.counts[what] for what in ("reads", "deleted", "restored"))
    for what, faults in {
        "kills": ("workers_killed", "everything_killed", "disk_full", "pages_harmed"),
        "files truncated": ("index_truncated", "pages_harmed"),
        "503": ("disk_full",),
    }.items():
        assert [fault for fault in faults if fault in possible and not ledger.tried[fault][what]] == []


def impossible(folder):
    """The faults that cannot be made here: who may mount a disk, or has a compiler, has no excuse."""
    probe = folder / "probe"
    probe.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", probe]
    if shutil.which("mount") and subprocess.run(mount, capture_output=True).returncode == 0:
        subprocess.run(["umount", probe], check=True)
    else:
        yield from (disk_full, read_only)
    if shutil.which("cc") is None:
        yield clock_set_back
