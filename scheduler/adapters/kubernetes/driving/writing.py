"""Making, changing and removing objects, with the API's answers told apart: refused, not now, or done."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from scheduler.adapters.kubernetes.reflector import PARTIAL
from scheduler.adapters.kubernetes.transport import ApiFault, Transport, Unreachable
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterUnavailable, StartFailed, StartRefusal

CALL_LIMIT_S = 15.0
ALREADY_EXISTS = "AlreadyExists"


def pods_path(namespace: str) -> str:
    """Return where the pods of a namespace are."""
    return f"/api/v1/namespaces/{namespace}/pods"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """How one kind of refusal is recognised, and what is said of it."""

    kind: StartRefusal
    statuses: tuple[int, ...]
    says: str
    """A pattern that the message matches."""
    what_to_do: str = ""
    sentence: str = ""
    """Only what the kind does not say: whoever tells people of a refusal says what its kind means."""


_REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
_ANYTHING = ""

_REFUSALS: tuple[_Refusal, ...] = (
    _Refusal(
        StartRefusal.QUOTA,
        (HTTPStatus.FORBIDDEN,),
        r"exceeded quota",
        "wait for other jobs to end, or let an administrator raise the ResourceQuota",
    ),
    _Refusal(
        StartRefusal.FAILED,
        (HTTPStatus.FORBIDDEN,),
        r"because it is being terminated",
        "create the namespace again, or configure another one for the tenant",
        "its namespace is being deleted",
    ),
    _Refusal(
        StartRefusal.FORBIDDEN,
        (HTTPStatus.FORBIDDEN,),
        r"cannot \w+ resource",
        "run `medley clusters check`, and grant what it finds missing",
    ),
    _Refusal(
        StartRefusal.DENIED,
        _REFUSED,
        r"denied (the )?request|violates PodSecurity|is forbidden",
        "let an administrator look at the rule, or change the job",
    ),
    _Refusal(StartRefusal.DENIED, (HTTPStatus.FORBIDDEN,), _ANYTHING),
    _Refusal(
        StartRefusal.INVALID,
        (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
        _ANYTHING,
        "look at the cluster's configuration and the job",
    ),
    _Refusal(
        StartRefusal.FAILED,
        (HTTPStatus.NOT_FOUND,),
        r"namespaces? ",
        "create the namespace and grant Medley its Role there, or configure another one",
        "its namespace does not exist",
    ),
)
"""The first one that fits counts."""

_NOT_YET = re.compile(r"status unknown for quota")
"""A quota that was only just made counts first."""


def refusal_of(fault: ApiFault, what: str) -> StartFailed:
    """Return what a definite no of the API means for the gang that `what` belongs to."""
    for known in _REFUSALS:
        if fault.status in known.statuses and re.search(known.says, fault.message):
            sentence = f"{known.sentence}: " if known.sentence else ""
            advice = f"; {known.what_to_do}" if known.what_to_do else ""
            return StartFailed(f"{what}: {sentence}{fault.message or fault.reason}{advice}", known.kind)
    return StartFailed(f"{what}: {fault}", StartRefusal.FAILED)


def is_passing(fault: ApiFault) -> bool:
    """Say whether the same call may succeed later: overload, faults of the server, credentials, counting quotas."""
    is_conflict = fault.status == HTTPStatus.CONFLICT and fault.reason != ALREADY_EXISTS
    is_counting = fault.status == HTTPStatus.FORBIDDEN and _NOT_YET.search(fault.message) is not None
    return fault.is_retryable or fault.status == HTTPStatus.UNAUTHORIZED or is_conflict or is_counting


class Writing:
    """Calls of the API that write, and the reads that these need; every one ends at its caller's deadline."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def create(self, path: str, document: Mapping[str, Any], *, what: str, until_s: float) -> dict[str, Any] | None:
        """Make an object and return it; None where one of its name is there already.

        Raises StartFailed where the API will not have it, ClusterUnavailable where it may later.
        """
        try:
            return self._call("POST", path, body=document, until_s=until_s)
        except ApiFault as fault:
            if fault.status == HTTPStatus.CONFLICT and fault.reason == ALREADY_EXISTS:
                return None
            raise refusal_of(fault, what) from fault

    def patch(
        self, path: str, patch: Mapping[str, Any], content_type: str, *, what: str, until_s: float
    ) -> dict[str, Any] | None:
        """Change an object and return it; None where it is gone or another one has its name.

        Raises as `create` does.
        """
        try:
            return self._call("PATCH", path, body=patch, content_type=content_type, until_s=until_s)
        except ApiFault as fault:
            if fault.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                return None
            raise refusal_of(fault, what) from fault

    def read(self, path: str, *, is_metadata_only: bool = False, until_s: float) -> dict[str, Any] | None:
        """Return an object, None where there is none. Raises as `create` does."""
        accept = {"accept": PARTIAL} if is_metadata_only else {}
        try:
            return self._call("GET", path, until_s=until_s, **accept)
        except ApiFault as fault:
            if fault.status == HTTPStatus.NOT_FOUND:
                return None
            raise refusal_of(fault, path) from fault

    def delete(self, path: str, uid: str, *, grace_s: int | None = None, until_s: float) -> None:
        """Ask for the end of the object with this UID; without effect where it is gone. Raises as `create` does."""
        options: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        try:
            self._call("DELETE", path, body=options, until_s=until_s)
        except ApiFault as fault:
            if fault.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise refusal_of(fault, path) from fault

    def _call(self, method: str, path: str, *, until_s: float, **more: Any) -> dict[str, Any]:
        left_s = until_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise ClusterUnavailable("the cluster answers too slowly: the time for this step is over")
        try:
            return self._transport.request(method, path, timeout_s=min(left_s, CALL_LIMIT_S), **more)
        except Unreachable as error:
            raise ClusterUnavailable(str(error)) from error
        except ApiFault as fault:
            is_conflict = fault.status == HTTPStatus.CONFLICT
            if is_passing(fault) and not (is_conflict and method in ("PATCH", "DELETE")):
                raise ClusterUnavailable(str(fault)) from fault
            raise
