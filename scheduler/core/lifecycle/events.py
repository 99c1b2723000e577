"""What can happen to a group."""

from enum import StrEnum


class Event(StrEnum):
    """Everything that may move a group from one state to another."""

    PLACE = "place"
    """A decision gave it devices."""
    REFUSE = "refuse"
    """A decision found that it can never run."""
    WORKERS_CREATED = "workers-created"
    """All workers of the attempt exist."""
    ALL_READY = "all-ready"
    """All workers of the attempt are ready."""
    NOT_READY = "not-ready"
    """A worker that was ready is not ready any more, and runs."""
    ALL_SUCCEEDED = "all-succeeded"
    """Every worker ended with exit code 0."""
    STOP = "stop"
    """The attempt must end, for a stop reason; also how cancelling reaches a queued group."""
    GONE = "gone"
    """No worker of the attempt exists any more."""
    RESIZE = "resize"
    """A decision gave it more or fewer workers; it runs on meanwhile."""
    REVIVE = "revive"
    """Its job wants the replica again."""
