"""Ask for known weaknesses of all pinned packages (pip-audit).

It fails only where there are some: without a way to the advisories it says so, and passes.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCKS = sorted(Path(__file__).parent.glob("requirements*.txt"))
PATIENCE_S = 300  # for all of them


def main() -> None:
    """Print what is known, and exit with 1 if that is anything."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format=json", "--timeout=5"]
    command += ["--progress-spinner=off", *(f"--requirement={lock}" for lock in LOCKS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)  # noqa: S603
        told = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        print("Known weaknesses of packages: not checked, for the advisories cannot be reached.")
        return
    weak = [(each, weakness) for each in told for weakness in each.get("vulns", ())]
    for each, weakness in weak:
        fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
        print(f"{each['name']} {each['version']}: {weakness['id']}, mended in {fixed}")
    unknown = sum("skip_reason" in each for each in told)
    print(f"Known weaknesses of packages: {len(weak)} in {len(told) - unknown} packages", end="")
    print(f"; nothing can be learned about {unknown} others from here." if unknown else ".")
    sys.exit(1 if weak else 0)


if __name__ == "__main__":
    main()
