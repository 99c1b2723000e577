"""A small synchronous client of Medley's REST API: one method per route, answers as the JSON that came.

>>> with Client("http://127.0.0.1:8080", token) as client:
...     job = client.submit({"name": "first", "chips": "h100-sxm", "workers": 2})
...     print(client.why(job["id"])["text"])
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from medley.answers import Json

if TYPE_CHECKING:
    from medley.commands.speeds.calls import SpeedCalls
    from medley.errors import MedleyError
    from medley.sharing.calls import SharingCalls
    from medley.transport import Query, ServerEvent

_MOST_PAGES = 100_000
_LONGEST_HOLD_S = 30
_MOST_CANCELLED = 1000
_ROWS = "/v1/jobs/rows"
_LARGEST_PAGE_IN_SHORT = 2000
_WHOLE: "Query" = {"limit": 200}
"""For what is asked for whole: the largest pages."""
_CAUGHT_UP_S = 1.5
"""Recorded events come without a pause: after this long a silence there are no more."""


class Client:
    """Speaks to one server as the holder of one token.

    Every method raises ApiProblem where the server refused and Unreachable where it did not answer. Calls that may be
    repeated safely are, for `patience_s`, with growing pauses; it may be changed at any time. Safe to use from several
    threads.
    """

    def __init__(self, address: str, token: str | None, *, patience_s: float = 3.0) -> None:
        # The HTTP library takes a tenth of a second to load: who never opens a client does not pay for it.
        from medley.transport import Transport  # noqa: PLC0415

        self._transport: Transport = Transport(address, token, patience_s=patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._transport.address

    @property
    def patience_s(self) -> float:
        """How long a call is repeated while the server does not answer."""
        return self._transport.patience_s

    @patience_s.setter
    def patience_s(self, patience_s: float) -> None:
        self._transport.patience_s = patience_s

    # Jobs

    def submit(self, job: Mapping[str, Any], *, key: str | None = None, wait_placed_s: int = 0) -> Json:
        """Submit a job and return it once it is durable; with `wait_placed_s` (to 30) wait for the first decision.

        The idempotency key (one is made where none is given) is the same on every repetition: however often the
        network fails, there is one job. One with `array` is many: the first is returned, and its `array` names them.
        """
        held_s = min(wait_placed_s, _LONGEST_HOLD_S)
        query = {"wait": "placed", "wait_s": held_s} if held_s else {}
        held_s = _LONGEST_HOLD_S if job.get("array") else held_s
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self._send("POST", "/v1/jobs", query=query, body=dict(job), headers=headers, held_s=held_s)

    def dry_run(self, job: Mapping[str, Any]) -> Json:
        """Return what would become of a job if it were submitted now: where it would run, or why not."""
        return self._send("POST", "/v1/jobs/dry-run", body=dict(job))

    def jobs(self, **filters: Any) -> Iterator[Json]:
        """Yield jobs newest first, page by page; filters: `state` (a list), `name`, `chip`, `submitted_by` ..."""
        return self._pages("/v1/jobs", filters)

    def jobs_in_short(self, **filters: Any) -> Iterator[Json]:
        """Yield jobs as `jobs` does, those after the first page in short: twenty thousand of them take a second."""
        page = self._get("/v1/jobs", **filters)
        yield from _items(page)
        if page.get("next"):
            yield from self._pages(_ROWS, {**filters, "limit": _LARGEST_PAGE_IN_SHORT}, page["next"])

    def job_rows(self, **filters: Any) -> Iterator[Json]:
        """Yield jobs in short, in pages of up to 2,000, newest first: the filters of `jobs`, and `fields`."""
        return self._pages(_ROWS, {"limit": _LARGEST_PAGE_IN_SHORT, **filters})

    def arrays(self, **filters: Any) -> Iterator[Json]:
        """Yield arrays that have a job that meets the filters, newest first, with how all their jobs stand."""
        return self._pages("/v1/arrays", filters)

    def array(self, array: str) -> Json:
        """Return one array by its id: how many of its jobs are in each state."""
        return self._get(f"/v1/arrays/{_part(array)}")

    def job(self, job: str) -> Json:
        """Return one job by its id."""
        return self._get(f"/v1/jobs/{_part(job)}")

    def cancel(self, job: str) -> Json:
        """Ask for a job's end; asking again changes nothing."""
        return self._send("POST", f"/v1/jobs/{_part(job)}/cancel")

    def replicas(self, job: str) -> Json:
        """Return a server's replicas: how many are wanted and ready, and all `items`, each with its address."""
        path = f"/v1/jobs/{_part(job)}/replicas"
        first = self._get(path, **_WHOLE)
        cursor = first.get("next")
        more = self._pages(path, _WHOLE, cursor) if cursor else ()
        return {**first, "items": [*_items(first), *more], "next": None}

    def scale(self, job: str, replicas: int) -> Json:
        """Say how many replicas a server is to have; asking again changes nothing."""
        return self._send("PATCH", f"/v1/jobs/{_part(job)}/replicas", body={"replicas": replicas})

    def replace(self, job: str, version: Mapping[str, Any]) -> Json:
        """Give a server a new version, the whole job; its replicas are replaced one after the other."""
        return self._send("PUT", f"/v1/jobs/{_part(job)}/version", body=dict(version))

    def submit_many(self, jobs: Sequence[Mapping[str, Any]], *, key: str | None = None) -> list[Json]:
        """Submit up to 500 jobs together; all of them are durable then, or none is where one is refused.

        The idempotency key works as in `submit`.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        body = {"jobs": [dict(job) for job in jobs]}
        return _items(self._send("POST", "/v1/jobs/bulk", body=body, headers=headers, held_s=_LONGEST_HOLD_S))

    def cancel_many(self, jobs: Sequence[str]) -> Iterator[Json]:
        """Ask for the end of many jobs, and yield what became of each: its `id` and `outcome`."""
        for first in range(0, len(jobs), _MOST_CANCELLED):
            yield from _items(self._cancel({"jobs": list(jobs[first : first + _MOST_CANCELLED])}))

    def cancel_where(self, **filters: Any) -> Iterator[Json]:
        """Ask for the end of all unfinished jobs that meet the filters, as `jobs` takes them; without any, of all."""
        wanted = {name: value for name, value in filters.items() if value is not None}
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            answer = self._cancel({"filter": wanted, **({"cursor": cursor} if cursor else {})})
            yield from _items(answer)
            if answer["next"] in (None, cursor):
                return
            cursor = answer["next"]

    def _cancel(self, body: Json) -> Json:
        return self._send("POST", "/v1/jobs/cancel", body=body, held_s=_LONGEST_HOLD_S)

    def set_priority(self, job: str, priority: int) -> Json:
        """Give a job another priority."""
        return self._send("PATCH", f"/v1/jobs/{_part(job)}", body={"priority": priority})

    def set_workers(self, job: str, workers: int) -> Json:
        """Say how many workers an elastic job is to have at most."""
        return self._send("PATCH", f"/v1/jobs/{_part(job)}", body={"workers": workers})

    def clone(self, job: str, overrides: Mapping[str, Any], *, key: str | None = None) -> Json:
        """Submit a job again, with some fields otherwise; the idempotency key works as in `submit`."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self._send("POST", f"/v1/jobs/{_part(job)}/clone", body={"overrides": dict(overrides)}, headers=headers)

    def why(self, job: str, *, before: str | None = None) -> Json:
        """Return why a job is where it is; or why it was placed `before` another one."""
        where = f"/v1/jobs/{_part(job)}/why"
        return self._get(where) if before is None else self._get(f"{where}-before", other=before)

    def logs(self, job: str, **query: Any) -> Json:
        """Return what workers printed: `rank`, `attempt`, `limit`; as `cursor` the last answer's `next`."""
        return self._get(f"/v1/jobs/{_part(job)}/logs", **query)

    def progress(self, job: str, *, attempt: int | None = None, limit: int = 1000) -> list[Json]:
        """Return the latest reports of a training, oldest first."""
        return _items(self._get(f"/v1/jobs/{_part(job)}/progress", attempt=attempt, limit=limit))

    # Events

    def events(
        self,
        job: str | None = None,
        *,
        after: int | None = None,
        on_break: "Callable[[MedleyError], None] | None" = None,
    ) -> "Iterator[ServerEvent]":
        """Yield events after a number as they come; a broken stream is resumed, `on_break` is told each time.

        A job's stream begins with the job and ends with it. That of all jobs begins now and does not end.
        """
        return self._transport.events(_events_path(job), after=after, on_break=on_break)

    def recorded_events(self, job: str | None = None, *, after: int = 0) -> "Iterator[ServerEvent]":
        """Yield the events that are there now, then end."""
        return self._transport.recorded_events(_events_path(job), after=after, idle_s=_CAUGHT_UP_S)

    # What there is

    def nodes(self, **filters: Any) -> Iterator[Json]:
        """Yield nodes page by page: `cluster`, `chip`."""
        return self._pages("/v1/nodes", filters)

    def drain(self, node: str, note: str = "") -> Json:
        """Let a node, CLUSTER/NAME, take nothing new until that is taken back (operators)."""
        return self._send("PUT", f"/v1/nodes/{_node_path(node)}/drain", body={"note": note})

    def undrain(self, node: str) -> Json:
        """Make a node, CLUSTER/NAME, again what its cluster says it is (operators)."""
        return self._send("DELETE", f"/v1/nodes/{_node_path(node)}/drain")

    def pools(self) -> list[Json]:
        """Return all pools."""
        return list(self._pages("/v1/pools", _WHOLE))

    def clusters(self) -> list[Json]:
        """Return all clusters."""
        return list(self._pages("/v1/clusters", _WHOLE))

    def check_cluster(self, cluster: str) -> Json:
        """Return what works on a cluster and what does not (operators and auditors)."""
        return self._send("GET", f"/v1/clusters/{_part(cluster)}/check", held_s=_LONGEST_HOLD_S)

    def check_scheduler(self) -> Json:
        """Return whether the server decides on what its database holds (operators and auditors)."""
        return self._send("GET", "/v1/scheduler/check", held_s=_LONGEST_HOLD_S)

    def chips(self) -> list[Json]:
        """Return the chip catalogue."""
        return list(self._pages("/v1/chips", _WHOLE))

    @property
    def speeds(self) -> "SpeedCalls":
        """What is asked about how fast jobs are."""
        from medley.commands.speeds.calls import SpeedCalls  # noqa: PLC0415 - see __init__

        return SpeedCalls(self._send, self._pages)

    def define_chip(self, chip: str, definition: Mapping[str, Any]) -> Json:
        """Add a chip type to the catalogue, or change it."""
        return self._send("PUT", f"/v1/chips/{_part(chip)}", body=dict(definition))

    def utilisation(self) -> Json:
        """Return who holds how much of what, now."""
        return self._get("/v1/utilisation")

    def utilisation_series(self, **query: Any) -> Json:
        """Return averages over time: `from`, `to`, `step` in seconds, `by`, `tenant`."""
        return self._get("/v1/utilisation/series", **query)

    def usage(self, **query: Any) -> Json:
        """Return accounts of chip-hours: `from`, `to`, `by` (a list of tenant, user, chip, day), `tenant`."""
        return self._get("/v1/usage", **query)

    def history(self, **filters: Any) -> Iterator[Json]:
        """Yield finished jobs, the latest end first: `from`, `to`, `tenant`, `user`, `state` (a list)."""
        return self._pages("/v1/history", filters)

    # Who may do what

    def whoami(self) -> Json:
        """Return whose token this is."""
        return self._get("/v1/whoami")

    def version(self) -> Json:
        """Return the server's version; needs no token."""
        return self._get("/v1/version")

    def login_terms(self) -> Json | None:
        """Return issuer, client and scopes of the organisation's login, None where there is none; needs no token."""
        terms: Json | None = self._get("/v1/login/terms")["oidc"]
        return terms

    def exchange_login(self, id_token: str) -> Json:
        """Return a short-lived token for an ID token of the issuer, which is good once; needs no token."""
        return self._create("/v1/login/exchange", {"id_token": id_token})

    def logout(self) -> None:
        """End a login: its token opens nothing any more. A token that was made is left as it is."""
        self._call("POST", "/v1/logout", is_idempotent=False)

    def tenants(self) -> Iterator[Json]:
        """Yield all tenants."""
        return self._pages("/v1/tenants", {})

    def create_tenant(self, name: str) -> Json:
        """Create a tenant."""
        return self._create("/v1/tenants", {"name": name})

    def quotas(self, tenant: str) -> list[Json]:
        """Return a tenant's quotas; a chip type without one has no limit."""
        return list(self._pages(f"/v1/tenants/{_part(tenant)}/quotas", _WHOLE))

    def set_quota(self, tenant: str, chip: str, devices: int) -> Json:
        """Limit how many devices of a chip type a tenant may hold."""
        return self._send("PUT", f"/v1/tenants/{_part(tenant)}/quotas/{_part(chip)}", body={"devices": devices})

    def lift_quota(self, tenant: str, chip: str) -> None:
        """Take a limit away."""
        self._send("DELETE", f"/v1/tenants/{_part(tenant)}/quotas/{_part(chip)}")

    @property
    def sharing(self) -> "SharingCalls":
        """What is asked about queues, their quotas and shares."""
        from medley.sharing.calls import SharingCalls  # noqa: PLC0415 - see __init__

        return SharingCalls(self._send, self._pages)

    def users(self) -> Iterator[Json]:
        """Yield all users."""
        return self._pages("/v1/users", {})

    def create_user(self, name: str, *, tenant: str | None, role: str | None = None) -> Json:
        """Create a user."""
        return self._create("/v1/users", {"name": name, "tenant": tenant, "role": role})

    def change_user(self, name: str, **changes: Any) -> Json:
        """Change a user: `tenant`, `role`, `is_disabled`; what is left out stays as it is."""
        return self._send("PATCH", f"/v1/users/{_part(name)}", body=changes)

    def tokens(self) -> Iterator[Json]:
        """Yield the tokens one may see, without their secrets."""
        return self._pages("/v1/tokens", {})

    def create_token(self, token: Mapping[str, Any]) -> Json:
        """Create a token; its `secret` is in this answer and nowhere else. Never repeated: each call makes another."""
        return self._create("/v1/tokens", token)

    def rotate_token(self, token: str, *, key: str | None = None, **wishes: Any) -> Json:
        """Give a token a new secret, which is in this answer alone: `overlap_s`, `expires_in_days`.

        The same key on every repetition makes it the same secret.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self._send("POST", f"/v1/tokens/{_part(token)}/rotate", body=wishes, headers=headers)

    def revoke_token(self, token: str) -> Json:
        """Make a token good for nothing."""
        return self._send("DELETE", f"/v1/tokens/{_part(token)}")

    def audit(self, **filters: Any) -> Iterator[Json]:
        """Yield who changed what, newest first: `actor`, `operation`, `object`, `tenant`, `since`, `until`."""
        return self._pages("/v1/audit", filters)

    def check_audit(self) -> Json:
        """Return whether the audit trail is as it was written (operators and auditors)."""
        return self._send("GET", "/v1/audit/check", held_s=_LONGEST_HOLD_S)

    # How

    def _get(self, path: str, **query: Any) -> Json:
        return self._send("GET", path, query=query)

    def _create(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._call("POST", path, is_idempotent=False, body=dict(body))

    def _send(self, method: str, path: str, **parts: Any) -> Json:
        return self._call(method, path, is_idempotent=True, **parts)

    def _call(self, method: str, path: str, *, is_idempotent: bool, **parts: Any) -> Json:
        from medley.transport import Call  # noqa: PLC0415 - see __init__

        answer: Json = self._transport.send(Call(method, path, is_idempotent, **parts))
        return answer

    def _pages(self, path: str, filters: "Query", cursor: str | None = None) -> Iterator[Json]:
        for _ in range(_MOST_PAGES):
            page = self._get(path, **{**filters, "cursor": cursor})
            yield from _items(page)
            if page.get("next") in (None, cursor):
                return
            cursor = page["next"]


def _part(name: str) -> str:
    return quote(name, safe="") or "-"


def _node_path(node: str) -> str:
    return "/".join(_part(part) for part in node.split("/", 1))


def _items(page: Json) -> list[Json]:
    items: list[Json] = page["items"]
    return items


def _events_path(job: str | None) -> str:
    return f"/v1/jobs/{_part(job)}/events" if job else "/v1/events"
