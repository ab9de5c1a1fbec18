"""Words that people choose among in commands and forms; importing them costs no command its time."""

from enum import StrEnum


class Role(StrEnum):
    """What an account may do; each may do all that the ones before it may."""

    READER = "reader"
    CONTRIBUTOR = "contributor"  # proposes answers and changes
    REVIEWER = "reviewer"  # publishes
    ADMIN = "admin"  # manages accounts

    def includes(self, other: "Role") -> bool:
        """Say whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Scope(StrEnum):
    """What an API token may be used for."""

    READ = "read"
    WRITE = "write"  # also to propose and, by the account's role, to publish


class ExperimentMode(StrEnum):
    """How the requests are sent."""

    NEW = "new"  # each over a connection of its own
    KEPT = "keep-alive"  # over connections that are used again
    BLOCKED = "blocked"  # like new, while one worker stands still
