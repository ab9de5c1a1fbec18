"""Ask for known weaknesses of all pinned packages (pip-audit).

It fails where there are some, and where pip-audit fails: only without a way to the advisories it says so, and passes.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKS = sorted(Path(__file__).parent.glob("requirements*.txt"))
PATIENCE_S = 300  # for all of them
# What pip-audit says last where nobody answers it, or not as PyPI does.
UNREACHED = re.compile(
    r"requests\.exceptions\.(\w*ConnectionError|ProxyError|SSLError|\w*Timeout|ChunkedEncodingError)\b|"
    r"pip_audit\._service\.interface\.ServiceError$|ERROR:pip_audit\._cli:Tip: your network may be blocking"
)


def main() -> None:
    """Print what is known, and exit with 1 if that is anything."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format=json", "--timeout=5"]
    command += ["--progress-spinner=off", *(f"--requirement={lock}" for lock in LOCKS)]
    pinned = {name for lock in LOCKS for name in re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)  # noqa: S603
        told = _told(done)
    except subprocess.TimeoutExpired:
        told = []
    if not told:
        print(f"NOT CHECKED for known weaknesses: 0 of {len(pinned)} packages. No advisories can be reached from here.")
        return
    weak = [(each, weakness) for each in told for weakness in each["vulns"]]
    for each, weakness in weak:
        fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
        print(f"{each['name']} {each['version']}: {weakness['id']}, mended in {fixed}")
    print(f"Checked {len(told)} of {len(pinned)} packages for known weaknesses: {len(weak)} found.")
    sys.exit(1 if weak else 0)


def _told(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Return the packages of which something is known; exit with 1 where pip-audit could not do its work at all."""
    if done.stdout.strip():
        return [each for each in json.loads(done.stdout)["dependencies"] if "skip_reason" not in each]
    *_, last = ["", *done.stderr.strip().splitlines()]
    if UNREACHED.match(last):
        return []
    print(f"{done.stderr.strip()}\nFAILED to check for known weaknesses: pip-audit ended with {done.returncode}.")
    sys.exit(1)


if __name__ == "__main__":
    main()
