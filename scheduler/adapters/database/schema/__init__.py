"""The tables. Importing any of them defines all of them in one `metadata`."""

from scheduler.adapters.database.schema import audit, feed, fleet, installation, people, promises, sharing, usage, work
from scheduler.adapters.database.schema.columns import metadata

__all__ = ["audit", "feed", "fleet", "installation", "metadata", "people", "promises", "sharing", "usage", "work"]
