"""Logging: one line per event on standard error, named by process, for whoever keeps the log."""

import logging
import re
import sys
import time
from typing import Any

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def configure(level: int) -> None:
    """Write our own messages from `level` on; a program around us that has set up logging keeps its way."""
    if not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(OneLine(FORMAT))
        logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("app").setLevel(level)


class OneLine(logging.Formatter):
    """Times are UTC; what somebody has sent stays within its line, and tracebacks are indented below theirs."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the name is theirs
        """Return the line."""
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """Return where it was logged."""
        return _indented(stack_info)


def _escaped(text: str) -> str:
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _indented(lines: str) -> str:
    return "\n".join(f"  {_escaped(line)}" for line in lines.split("\n"))
