"""Whatever fails, nothing that was acknowledged is lost; `make soak` tries the same for longer."""

import pytest

from tests.soak.__main__ import soak

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_no_fault_loses_anything(tmp_path):
    ledger = soak(tmp_path, 1, seconds=1.5, lock_s=1)  # what it prints is shown when it fails
    assert ledger.violations == []
    assert ledger.counts["lost"] == 0
