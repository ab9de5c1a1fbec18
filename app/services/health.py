"""How an installation is: what was looked at, and how serious it is."""

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How serious something is."""

    OK = "ok"
    WARNING = "warning"  # works, but not as it should for long
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """What was found; the message is an English gettext msgid, `params` fill its places."""

    state: State
    message: str
    params: dict[str, object] = field(default_factory=dict)


def worst(found: list[Check]) -> State:
    """Return the most serious state of what was found."""
    return max((check.state for check in found), key=list(State).index, default=State.OK)
