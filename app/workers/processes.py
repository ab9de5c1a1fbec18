"""What the system tells about processes: whether one lives, what it uses, and which queue it takes connections from."""

import contextlib
import ctypes
import mmap
import os
import resource
import signal
import socket
from pathlib import Path

_M_ARENA_MAX = -8  # of malloc.h
_PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    fields = stat[stat.rindex(b")") + 2 :].split()
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def parent_of(pid: int) -> int:
    """Return the process that has started this one; 0 when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(stat[stat.rindex(b")") + 2 :].split()[1])


def rss_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * mmap.PAGESIZE


def cpu_seconds() -> float:
    """Return the processor time that this process has used."""
    times = os.times()
    return times.user + times.system


def listening_queue() -> int:
    """Return the number by which the kernel knows the queue that this process accepts from; 0 when there is none.

    Processes that share a listening socket have the same number, and race for its connections. Where each has its own
    (SO_REUSEPORT), a hash of the addresses decides.
    """
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  only the names are needed
        with contextlib.suppress(OSError):  # closed meanwhile, or no socket
            link = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
            if link.startswith("socket:[") and _is_listening(int(name)):
                found.append(int(link[8:-1]))
    return min(found, default=0)


def limit_heaps(number: int) -> None:
    """Let this process keep at most so many heaps; where malloc is another one, do nothing.

    Threads that come and go would else keep a heap each, of which little is in use.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, number)


def trim_heaps() -> None:
    """Give memory that was freed back to the system; where malloc is another one, do nothing."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


def allow_many_files() -> None:
    """Let this process and its children open as many files as the system lets them: each connection is one."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def end_with_parent() -> None:
    """Let this process be told to end (SIGTERM) when its parent dies, however that happens."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was dead already
        os.kill(os.getpid(), signal.SIGTERM)


def _is_listening(descriptor: int) -> bool:
    opened = socket.socket(fileno=os.dup(descriptor))
    with opened:
        return opened.family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX) and bool(
            opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        )
