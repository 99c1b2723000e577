"""What requests cost, in units of their callers' allowances: one, unless it is said here."""

from collections.abc import Mapping

UNIT = 1
COSTS: Mapping[str, int] = {
    "try_job": 5,
    "suppose_job": 20,
    "plan_training": 20,
    "suppose": 50,
    "explain_job": 2,
    "compare_jobs": 2,
    "list_replicas": 2,
    "scale_job": 2,
    "replace_job": 2,
    "read_job_logs": 2,
    "show_utilisation": 2,
    "show_utilisation_series": 5,
    "show_history": 5,
    "show_usage": 20,
    "list_shares": 5,
    "follow_events": 5,
    "follow_job_events": 5,
    "check_cluster": 50,
    "check_scheduler": 50,
}
"""By operation id. A stream costs as it is opened; whoever reads it to its end pays no more."""
COSTS_OF_STRANGERS: Mapping[str, int] = {"begin_login": 1, "finish_login": 1, "exchange_login": 1}
"""By operation id, of the address that it comes from: each makes the server work for who is not known yet."""
BAD_TOKEN = 1
"""What a request costs its address whose token opens nothing."""
RANKS_PER_UNIT = 8
"""A page of the logs of many ranks costs one unit more for every so many of them."""

JOBS_PER_UNIT = 20
"""What is done with many jobs at once costs a unit for every so many of them."""


def cost_of(operation: str) -> int:
    """Return what a request for an operation costs, whatever it is answered with."""
    return COSTS.get(operation, UNIT)
