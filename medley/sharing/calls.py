"""What is asked of a server about queues, about what would follow from others, and about training plans."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from medley.answers import Json

_WHOLE = {"limit": 200}
_LONGEST_SEARCH_S = 30


class SharingCalls:
    """Queues, quotas, groups of chip types, shares, what would follow, and plans, over a client's way of asking."""

    def __init__(self, send: Callable[..., Json], pages: Callable[..., Iterator[Json]]) -> None:
        self._send = send
        self._pages = pages

    def queues(self) -> list[Json]:
        """Return all queues that one may see."""
        return list(self._pages("/v1/queues", _WHOLE))

    def set_queue(self, name: str, queue: Mapping[str, Any]) -> Json:
        """Add a queue, or let it be another one: the whole of it is said."""
        return self._send("PUT", _queue(name), body=dict(queue))

    def remove_queue(self, name: str) -> None:
        """Remove a queue that is not used."""
        self._send("DELETE", _queue(name))

    def quotas(self, queue: str) -> list[Json]:
        """Return what a queue is due and may have."""
        return list(self._pages(f"{_queue(queue)}/quotas", _WHOLE))

    def set_quota(self, queue: str, resource: str, figures: Mapping[str, int | None]) -> Json:
        """Say what a queue is due and may have of a resource: all figures are said."""
        return self._send("PUT", f"{_queue(queue)}/quotas/{quote(resource, safe='')}", body=dict(figures))

    def lift_quota(self, queue: str, resource: str) -> None:
        """Take away what was said of a queue and a resource."""
        self._send("DELETE", f"{_queue(queue)}/quotas/{quote(resource, safe='')}")

    def chip_groups(self) -> list[Json]:
        """Return the groups of chip types."""
        return list(self._pages("/v1/chip-groups", _WHOLE))

    def set_chip_group(self, name: str, chips: Sequence[str]) -> Json:
        """Let quotas count chip types together."""
        return self._send("PUT", f"/v1/chip-groups/{quote(name, safe='')}", body={"chips": list(chips)})

    def remove_chip_group(self, name: str) -> None:
        """Remove a group that no quota counts."""
        self._send("DELETE", f"/v1/chip-groups/{quote(name, safe='')}")

    def shares(self) -> list[Json]:
        """Return what each queue is due and holds."""
        return list(self._pages("/v1/shares", _WHOLE))

    def what_if(self, supposed: Mapping[str, Any]) -> Json:
        """Return what would follow if all that is `supposed` were so; the body of `POST /v1/whatif`. For operators."""
        return self._send("POST", "/v1/whatif", body=dict(supposed))

    def what_if_job(self, job: Mapping[str, Any]) -> Json:
        """Return where a job would run at once or when it would start, and the same on each other chip type."""
        return self._send("POST", "/v1/jobs/whatif", body=dict(job))

    def plan(self, training: Mapping[str, Any]) -> Json:
        """Return the best plans for a training on what is free now; the body of `POST /v1/plans`. Nothing is kept."""
        return self._send("POST", "/v1/plans", body=dict(training), held_s=_LONGEST_SEARCH_S)


def _queue(name: str) -> str:
    return f"/v1/queues/{quote(name, safe='')}"
