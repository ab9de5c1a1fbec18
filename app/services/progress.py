"""How long work tells its caller how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called with the name of the stage, the units done and the units in all."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note that `done` of `total` units of `stage` are done."""


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
