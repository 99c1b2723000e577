"""Whether this process still leads. Every leader's write is fenced by itself; this is for what is no write."""

from dataclasses import dataclass

from scheduler.ports.leadership import Leadership


class LeadershipLost(Exception):
    """Another process took the lead; this one must not decide or start anything any more."""


@dataclass(frozen=True, slots=True)
class Lead:
    """The lead as it was taken."""

    leadership: Leadership
    epoch: int

    @staticmethod
    def take(leadership: Leadership, holder: str) -> "Lead":
        """Become the leader; every earlier one is refused from then on."""
        return Lead(leadership, leadership.take(holder))

    def check(self) -> None:
        """Raise LeadershipLost where another process took the lead since. Raises StorageUnavailable."""
        if self.leadership.current()[0] != self.epoch:
            raise LeadershipLost
