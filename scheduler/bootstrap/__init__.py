"""Build processes from their settings: the one place that knows which adapter fulfils which port."""

from scheduler.bootstrap.roles import build_server
from scheduler.bootstrap.server import Server, reachable_url
from scheduler.bootstrap.storage import AnotherSchedulerLeads
from scheduler.bootstrap.upkeep import migrate_database, replace_operator_token

__all__ = [
    "AnotherSchedulerLeads",
    "Server",
    "build_server",
    "migrate_database",
    "reachable_url",
    "replace_operator_token",
]
