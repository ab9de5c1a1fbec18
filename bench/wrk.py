"""Asking a server for pages as fast as it answers, by wrk."""

import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
SECONDS = 3
GZIP = {"Accept-Encoding": "gzip"}

_SCRIPT = """
local paths = {
%(paths)s
}
local at, number, threads = 0, %(begun)d, 0
function setup(each)
  threads = threads + 1
  each:set("thread", threads)
end
function init(args)
  math.randomseed(number + thread)
  at = math.random(#paths)
end
function request()
  at, number = at %% #paths + 1, number + 1
  return wrk.format(nil, paths[at] .. %(more)s)
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk asks for: one address, or paths in turns from a random start; with headers."""

    name: str
    url: str
    paths: Sequence[str] = ()
    headers: tuple[tuple[str, str], ...] = tuple(GZIP.items())
    is_numbered: bool = False  # each path is sent with a number at its end that no other request has


@dataclass(frozen=True)
class Measured:
    """What wrk says of one run; latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float
    failed: int


def require() -> None:
    """Say what to do where there is no wrk."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: on Debian, apt install wrk")


def run(folder: Path, load: Load, connections: int = CONNECTIONS, seconds: int = SECONDS) -> Measured:
    """Let wrk ask for some seconds."""
    command = ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}", "--latency"]
    for name, value in load.headers:
        command += ["-H", f"{name}: {value}"]
    if load.paths:
        shuffled = random.sample(list(load.paths), len(load.paths))
        script = folder / "paths.lua"
        listed = ",\n".join(json.dumps(path, ensure_ascii=True) for path in shuffled)
        begun = time.time_ns() // 1000  # Lua's numbers are exact up to 2 ** 53
        more = "string.format('%d-%.0f', thread, number)" if load.is_numbered else "''"
        script.write_text(_SCRIPT % {"paths": listed, "begun": begun, "more": more})
        command += ["-s", str(script)]
    said = subprocess.run([*command, load.url], capture_output=True, text=True, check=True).stdout
    failed = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    failed += sum(int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", said))
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert per_second is not None, said
    return Measured(float(per_second[1]), _latency(said, 50), _latency(said, 99), failed)


def _latency(said: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", said)
    assert found is not None, said
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]
