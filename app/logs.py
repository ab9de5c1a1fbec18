"""Logging: one line per event on standard error, named by process, for whoever keeps the log."""

import logging
import sys

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def configure(level: int) -> None:
    """Write our own messages from `level` on; a program around us that has set up logging keeps its way."""
    if not logging.getLogger().handlers:
        logging.basicConfig(stream=sys.stderr, format=FORMAT, level=logging.WARNING)
    logging.getLogger("app").setLevel(level)
