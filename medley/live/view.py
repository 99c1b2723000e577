"""Which jobs `medley top` shows, and in which order: what the keys choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from medley.answers import Json
from medley.screens.job_text import wanted_devices

KEYS = "q ends  n next  p back  sort: a age  d devices  s state"
_SORTS = {"a": "age", "d": "devices", "s": "state"}
_NEXT = ("n", " ", "\x1b[6~", "\x1b[C")
"""Also the space bar, Page Down and the right arrow."""
_BACK = ("p", "b", "\x1b[5~", "\x1b[D")
_STATES = ("stopping", "running", "starting", "placed", "queued")


@dataclass(frozen=True, slots=True)
class View:
    """One page of the jobs in one order."""

    sort: str | None = None
    """`age`, `devices` or `state`; None: as the server has them, those that hold devices before those that wait."""
    is_turned: bool = False
    page: int = 0

    def after(self, key: str, pages: int) -> "View":
        """Return the view once a key was pressed, where there are so many pages; itself where the key means nothing."""
        last = max(0, pages - 1)
        if key in _NEXT:
            return replace(self, page=min(last, self.page + 1))
        if key in _BACK:
            return replace(self, page=min(last, max(0, self.page - 1)))
        sort = _SORTS.get(key.lower())
        if sort is None:
            return self
        return View(sort, is_turned=sort == self.sort and not self.is_turned)

    def ordered(self, jobs: Sequence[Json]) -> Sequence[Json]:
        """Return the jobs in order: the oldest first, most devices first, or by state; equal ones stay as they were."""
        if self.sort is None:
            return jobs
        return sorted(jobs, key=_ORDERS[self.sort], reverse=self.is_turned)

    def words(self) -> str:
        """Say the order in words."""
        return "" if self.sort is None else f" by {self.sort}{', turned round' if self.is_turned else ''}"


def _age(job: Json) -> str:
    return str(job["submitted_at"])


def devices_of(job: Json) -> int:
    """Return how many whole devices a job asks for, or one in short."""
    return wanted_devices(job["spec"]) if "spec" in job else int(job["devices"])


def _most_devices(job: Json) -> int:
    return -devices_of(job)


def _state(job: Json) -> int:
    return _STATES.index(job["state"]) if job["state"] in _STATES else len(_STATES)


_ORDERS: dict[str, Callable[[Json], Any]] = {"age": _age, "devices": _most_devices, "state": _state}
