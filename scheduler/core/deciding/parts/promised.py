"""The room that is kept for groups that wait, as it was written down."""

from scheduler.core.model.change import ChangeBody, ReservationDropped, ReservationMade
from scheduler.core.model.identifiers import GroupId
from scheduler.core.model.waiting.promise import Promise


class Promised(dict[GroupId, Promise]):
    """Promises by the groups that they are for: one for each at most."""

    def follow(self, body: ChangeBody) -> None:
        """Follow a change; without effect where it is about something else."""
        if isinstance(body, ReservationMade):
            self[body.promise.group] = body.promise
        elif isinstance(body, ReservationDropped):
            self.pop(body.group, None)
