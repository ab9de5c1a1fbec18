"""Live blocks: fenced code whose info string is `live` and a name. The page puts a panel of its own in their place."""

WORKERS_MARK = '<div class="live-workers"></div>'  # what the kept rendering holds
_MARKS = {"live workers": WORKERS_MARK}


def mark_of(info: str) -> str | None:
    """Return what stands for the block with this info string; None when it is no live block."""
    return _MARKS.get(" ".join(info.split()))
