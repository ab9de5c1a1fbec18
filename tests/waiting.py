"""Waiting for what comes by itself, as long as a busy machine needs and no longer."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], timeout: float = 20, pause: float = 0.05) -> bool:
    """Return whether the condition comes true in time; it is asked once more at the end."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return bool(condition())
        time.sleep(pause)
    return True
