"""What can be made to go wrong between a client and the server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

FOR_EVER = 1_000_000_000
LONGEST_HANG_S = 600.0


@dataclass(slots=True, eq=False)
class Fault:
    """Something that happens to the next requests of a method and path."""

    method: str = ""
    """A pattern; empty for every method."""
    path: str = ""
    """A pattern that is searched for in the path with its query; empty for every path."""
    times: int = 1
    """To how many requests."""
    code: int | None = None
    """Answered instead of what was asked for."""
    body: bytes | None = None
    """The answer's body; a Status of the code where left out."""
    retry_after_s: int | None = None
    delay_s: float = 0.0
    """Waited before anything else happens."""
    hangs: bool = False
    """No answer ever comes; the connection stays."""
    drops: bool = False
    """The connection is closed without an answer."""
    is_done_first: bool = False
    """Whether the request is carried out before its answer is dropped, hung or replaced: a lost answer."""
    hits: int = 0


@dataclass(slots=True)
class Faults:
    """All faults that are waiting for their request."""

    _waiting: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    ended: Event = field(default_factory=Event)
    """Set when hanging and delayed requests are to be let go."""

    def add(self, **what: Any) -> Fault:
        """Arrange a fault (see Fault), and return it: `hits` says how often it came."""
        fault = Fault(**what)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def answer(self, code: int, *, retry_after_s: int | None = None, **where: Any) -> Fault:
        """Answer the next requests (method, path, times) with an error."""
        return self.add(code=code, retry_after_s=retry_after_s, **where)

    def clear(self) -> None:
        """Take back whatever has not happened yet."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, target: str) -> Fault | None:
        """Return the fault for a request, and count it."""
        with self._lock:
            for fault in self._waiting:
                if fault.times > 0 and re.fullmatch(fault.method or ".*", method) and re.search(fault.path, target):
                    fault.times -= 1
                    fault.hits += 1
                    return fault
        return None

    def wait(self, seconds: float) -> None:
        """Let time pass, or return when the server ends."""
        self.ended.wait(min(seconds, LONGEST_HANG_S))


@dataclass(frozen=True, slots=True)
class Denial:
    """A permission that the caller does not have."""

    verb: str
    """`*` for all."""
    resource: str
    """Plural, with the subresource: `pods/log`; `*` for all."""
    namespace: str = "*"
    """`*` for all; empty for cluster-wide requests."""

    def meets(self, asked: Mapping[str, str]) -> bool:
        """Say whether a request (verb, resource, namespace) is denied."""
        parts = {"verb": self.verb, "resource": self.resource, "namespace": self.namespace}
        return all(part in ("*", asked.get(name, "")) for name, part in parts.items())
