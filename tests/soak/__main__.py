"""`python -m tests.soak --minutes 5 --seed 1`: tries all faults, again and again until the time is over."""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.soak.disk import MB, Disk
from tests.soak.faults import BRIEF, FAULTS, Run, Skipped
from tests.soak.installation import Installation, traceback_in
from tests.soak.ledger import Ledger, listed
from tests.soak.proving import prove


def soak(
    folder: Path, seed: int, *, seconds: float, lock_s: float, until: float = 0, tell: Callable[[str], None] = print
) -> Ledger:
    """Try all faults of `seconds` each, and once more until the moment `until`; return what was found."""
    ledger = Ledger()
    long = until > 0
    with Disk(folder / "disk", (512 if long else 128) * MB) as disk:
        site = Installation(disk, people=400 if long else 60)
        site.start()
        try:
            site.usual_troubles = site.troubles()  # the site has no address and no backup
            number = 0
            while number == 0 or time.monotonic() < until:
                run = Run(site, ledger, random.Random(f"{seed}-{number}"), seconds, lock_s)
                for fault in FAULTS if long else BRIEF:
                    if number == 0 or time.monotonic() < until:
                        _try(run, fault, tell)
                number += 1
            prove(site, ledger, everything=True)
            site.stop()
        finally:
            site.kill()
    tell(f"all: {ledger.listed()}, losses {ledger.counts['lost']}")
    return ledger


def _try(run: Run, fault: Callable[[Run], None], tell: Callable[[str], None]) -> None:
    ledger, started = run.ledger, time.monotonic()
    before, known, log = ledger.counts.copy(), len(ledger.violations), run.site.log.stat().st_size
    name = fault.__name__.replace("_", " ")
    try:
        fault(run)
    except Skipped as reason:
        tell(f"{name}: skipped, {reason}")
        return
    faulted = time.monotonic()
    looked_at = prove(run.site, ledger)
    with run.site.log.open("rb") as file:
        file.seek(log)
        said = file.read().decode()
    if found := traceback_in(said):
        ledger.violated(f"{name}: the log has a traceback:\n{found}")
    done = ledger.counts - before
    ledger.tried[fault.__name__] = ledger.tried.get(fault.__name__, Counter()) + done
    tell(
        f"{name}: {faulted - started:.1f} s, {listed(done)}, losses {done['lost']}; "
        f"{looked_at} questions proved in {time.monotonic() - faulted:.1f} s"
    )
    for violation in ledger.violations[known:]:
        tell(f"  VIOLATION {violation}")


def main() -> None:
    """Run it as the command line says; the exit status is 1 if anything was violated."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}, {chosen.minutes:g} minutes", flush=True)
    until = time.monotonic() + 60 * chosen.minutes
    with tempfile.TemporaryDirectory(prefix="omniracle-soak-") as folder:
        ledger = soak(Path(folder), chosen.seed, seconds=10, lock_s=12, until=until, tell=_tell)
    sys.exit(1 if ledger.violations else 0)


def _tell(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    main()
