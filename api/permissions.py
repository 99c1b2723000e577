"""Who may call what: the one table of role x route. A route that is not in it cannot be built."""

from collections.abc import Mapping
from enum import StrEnum

from scheduler.core.model.tenant import Role


class Open(StrEnum):
    """Routes that no role guards."""

    PUBLIC = "public"
    """Anybody, without a token."""
    ATTEMPT = "attempt"
    """The workers of one attempt, with that attempt's token."""


EVERYBODY = frozenset(Role)
SUBMITTERS = frozenset({Role.SUBMITTER, Role.TENANT_ADMIN})
CANCELLERS = SUBMITTERS | {Role.OPERATOR}
TOKEN_MAKERS = frozenset({Role.TENANT_ADMIN, Role.OPERATOR})
TOKEN_READERS = TOKEN_MAKERS | {Role.AUDITOR}
CLUSTER_WIDE = frozenset({Role.OPERATOR, Role.AUDITOR})
OPERATORS = frozenset({Role.OPERATOR})

Access = frozenset[Role] | Open

PERMISSIONS: Mapping[str, Access] = {
    "submit_job": SUBMITTERS,
    "list_jobs": EVERYBODY,
    "show_job": EVERYBODY,
    "cancel_job": CANCELLERS,
    "explain_job": EVERYBODY,
    "read_job_logs": EVERYBODY,
    "list_job_progress": EVERYBODY,
    "follow_job_events": EVERYBODY,
    "follow_events": EVERYBODY,
    "list_nodes": EVERYBODY,
    "list_pools": EVERYBODY,
    "list_clusters": EVERYBODY,
    "check_cluster": CLUSTER_WIDE,
    "check_scheduler": CLUSTER_WIDE,
    "show_utilisation": EVERYBODY,
    "show_utilisation_series": EVERYBODY,
    "show_usage": EVERYBODY,
    "show_history": EVERYBODY,
    "list_chips": EVERYBODY,
    "define_chip": OPERATORS,
    "list_tenants": CLUSTER_WIDE,
    "create_tenant": OPERATORS,
    "list_quotas": EVERYBODY,
    "set_quota": OPERATORS,
    "lift_quota": OPERATORS,
    "list_users": TOKEN_READERS,
    "create_user": OPERATORS,
    "list_tokens": TOKEN_READERS,
    "create_token": TOKEN_MAKERS,
    "revoke_token": TOKEN_MAKERS,
    "show_myself": EVERYBODY,
    "register_rendezvous": Open.ATTEMPT,
    "find_rendezvous": Open.ATTEMPT,
    "report_progress": Open.ATTEMPT,
    "show_version": Open.PUBLIC,
    "is_alive": Open.PUBLIC,
    "is_ready": Open.PUBLIC,
    "show_openapi": Open.PUBLIC,
}
"""By operation id."""
