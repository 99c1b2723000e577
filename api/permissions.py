"""Who may call what: the one table of role x route. A route that is not in it cannot be built."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from scheduler.core.model.tenant import Role, Scope


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
    "submit_jobs": SUBMITTERS,
    "clone_job": SUBMITTERS,
    "change_job": CANCELLERS,
    "cancel_jobs": CANCELLERS,
    "try_job": SUBMITTERS,
    "suppose_job": SUBMITTERS,
    "plan_training": CANCELLERS,
    "list_jobs": EVERYBODY,
    "list_job_rows": EVERYBODY,
    "list_arrays": EVERYBODY,
    "show_array": EVERYBODY,
    "show_job": EVERYBODY,
    "cancel_job": CANCELLERS,
    "explain_job": EVERYBODY,
    "compare_jobs": EVERYBODY,
    "list_replicas": EVERYBODY,
    "scale_job": CANCELLERS,
    "replace_job": SUBMITTERS,
    "read_job_logs": EVERYBODY,
    "list_job_progress": EVERYBODY,
    "follow_job_events": EVERYBODY,
    "follow_events": EVERYBODY,
    "list_nodes": EVERYBODY,
    "show_node": EVERYBODY,
    "drain_node": OPERATORS,
    "undrain_node": OPERATORS,
    "suppose": OPERATORS,
    "list_pools": EVERYBODY,
    "list_clusters": EVERYBODY,
    "check_cluster": CLUSTER_WIDE,
    "check_scheduler": CLUSTER_WIDE,
    "show_utilisation": EVERYBODY,
    "show_utilisation_series": EVERYBODY,
    "show_usage": EVERYBODY,
    "show_history": EVERYBODY,
    "list_chips": EVERYBODY,
    "show_chip": EVERYBODY,
    "define_chip": OPERATORS,
    "list_throughputs": EVERYBODY,
    "show_throughput": EVERYBODY,
    "set_throughput": OPERATORS,
    "remove_throughput": OPERATORS,
    "list_profiles": EVERYBODY,
    "show_profile": EVERYBODY,
    "set_profile": OPERATORS,
    "remove_profile": OPERATORS,
    "list_tenants": CLUSTER_WIDE,
    "create_tenant": OPERATORS,
    "list_quotas": EVERYBODY,
    "show_quota": EVERYBODY,
    "set_quota": OPERATORS,
    "lift_quota": OPERATORS,
    "list_queues": EVERYBODY,
    "show_queue": EVERYBODY,
    "set_queue": OPERATORS,
    "remove_queue": OPERATORS,
    "list_queue_quotas": EVERYBODY,
    "show_queue_quota": EVERYBODY,
    "set_queue_quota": OPERATORS,
    "lift_queue_quota": OPERATORS,
    "list_shares": EVERYBODY,
    "list_chip_groups": EVERYBODY,
    "show_chip_group": EVERYBODY,
    "set_chip_group": OPERATORS,
    "remove_chip_group": OPERATORS,
    "list_users": TOKEN_READERS,
    "create_user": OPERATORS,
    "show_user": TOKEN_READERS,
    "change_user": TOKEN_MAKERS,
    "list_tokens": TOKEN_READERS,
    "show_token": TOKEN_READERS,
    "create_token": TOKEN_MAKERS,
    "revoke_token": TOKEN_MAKERS,
    "rotate_token": TOKEN_MAKERS,
    "list_audit_entries": TOKEN_READERS,
    "check_audit_trail": CLUSTER_WIDE,
    "show_login_terms": Open.PUBLIC,
    "begin_login": Open.PUBLIC,
    "finish_login": Open.PUBLIC,
    "exchange_login": Open.PUBLIC,
    "end_session": EVERYBODY,
    "show_myself": EVERYBODY,
    "register_rendezvous": Open.ATTEMPT,
    "find_rendezvous": Open.ATTEMPT,
    "report_progress": Open.ATTEMPT,
    "report_stages": Open.ATTEMPT,
    "find_generation": Open.ATTEMPT,
    "beat": Open.ATTEMPT,
    "show_version": Open.PUBLIC,
    "is_alive": Open.PUBLIC,
    "is_ready": Open.PUBLIC,
    "show_openapi": Open.PUBLIC,
    "show_job_schema": Open.PUBLIC,
    "show_dashboard": Open.PUBLIC,
    "show_dashboard_file": Open.PUBLIC,
}
"""By operation id."""

ABOUT_ONESELF = frozenset({"show_myself", "end_session"})
"""Every token opens these, however narrow: it has to be able to say whose it is, and to end."""
_READING = frozenset({"GET", "HEAD"})


def scope_of(operation: str, tags: Collection[str], methods: Collection[str]) -> Scope | None:
    """Return the scope that opens a route: its tag, to read or to write; None where every token does.

    Raises LookupError where there is no such scope: a new tag needs one in `Scope`.
    """
    if operation in ABOUT_ONESELF or isinstance(PERMISSIONS[operation], Open):
        return None
    name = f"{next(iter(tags), '')}:{'read' if set(methods) <= _READING else 'write'}"
    if name not in set(Scope):
        raise LookupError(f"the operation {operation!r} needs the scope {name!r}, which there is not")
    return Scope(name)
