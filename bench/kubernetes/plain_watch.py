"""A plain reader of a list and a watch, and what it saw of each object, by name."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

SILENCE_S = 300.0
JOIN_LIMIT_S = 5.0
FIRST_ERROR = 400


@dataclass(slots=True)
class Sighting:
    """When something of an object was first seen, by the wall clock."""

    made_s: float | None = None
    bound_s: float | None = None
    running_s: float | None = None
    ended_s: float | None = None
    gone_s: float | None = None


class PlainWatch:
    """Follows one collection from `start` to `close`, and goes on where the server ended it."""

    def __init__(self, pool: urllib3.HTTPConnectionPool, path: str, selector: str) -> None:
        """`selector` is that of labels."""
        self._pool = pool
        self._path = path
        self._selector = selector
        self._changed = threading.Condition()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._is_closed = False
        self._version = ""
        self.sightings: dict[str, Sighting] = {}
        self._ends: dict[str, threading.Event] = {}
        self._thread = threading.Thread(target=self._follow, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        """List, and begin to follow."""
        listed = self._get({"labelSelector": self._selector}, preload_content=True)
        document = json.loads(listed.data)
        for obj in document["items"]:
            self.note("ADDED", obj, time.time())
        self._version = document["metadata"]["resourceVersion"]
        self._open()
        self._thread.start()

    def wait(self, is_so: Callable[[], bool], *, within_s: float) -> bool:
        """Wait until something is so of what was seen, and say whether it is."""
        with self._changed:
            return self._changed.wait_for(is_so, within_s)

    def expect_end(self, name: str) -> threading.Event:
        """Return an event that is set when the object of this name has ended: cheaper than `wait` for many at once."""
        return self._ends.setdefault(name, threading.Event())

    def note(self, kind: str, obj: dict[str, Any], now_s: float) -> None:
        """Take in one event."""
        with self._changed:
            seen = self.sightings.setdefault(obj["metadata"]["name"], Sighting(made_s=now_s))
            phase = obj.get("status", {}).get("phase") if isinstance(obj.get("status"), dict) else None
            if seen.bound_s is None and obj.get("spec", {}).get("nodeName"):
                seen.bound_s = now_s
            if seen.running_s is None and phase in ("Running", "Succeeded", "Failed"):
                seen.running_s = now_s
            if seen.ended_s is None and phase in ("Succeeded", "Failed"):
                seen.ended_s = now_s
                if (expected := self._ends.pop(obj["metadata"]["name"], None)) is not None:
                    expected.set()
            if kind == "DELETED":
                seen.gone_s = now_s

    def forget(self) -> None:
        """Forget everything that is gone."""
        with self._changed:
            for name in [name for name, seen in self.sightings.items() if seen.gone_s is not None]:
                del self.sightings[name]

    def close(self) -> None:
        """End following; what was seen stays readable."""
        self._is_closed = True
        if self._response is not None:
            with suppress(Exception):
                self._response.shutdown()
            self._thread.join(JOIN_LIMIT_S)

    def _get(self, query: dict[str, str], *, preload_content: bool) -> urllib3.BaseHTTPResponse:
        answer = self._pool.urlopen(
            "GET",
            f"{self._path}?{urlencode(query)}",
            retries=False,
            timeout=SILENCE_S,
            preload_content=preload_content,
        )
        if answer.status >= FIRST_ERROR:
            raise RuntimeError(f"GET {self._path}: {answer.status} {answer.data[:300]!r}")
        return answer

    def _open(self) -> None:
        query = {
            "labelSelector": self._selector,
            "watch": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": "3600",
        }
        self._response = self._get(query, preload_content=False)

    def _follow(self) -> None:
        try:
            while not self._is_closed:
                self._read_to_end()
                self._open()  # the server ends the watch of a reader that is slow for a moment
        except Exception:
            if not self._is_closed:
                raise

    def _read_to_end(self) -> None:
        assert self._response is not None
        rest = b""
        while piece := self._response.read1(65536):
            now_s = time.time()
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise RuntimeError(f"watching {self._path}: {event['object']}")
                self._version = event["object"]["metadata"]["resourceVersion"]
                self.note(event["type"], event["object"], now_s)
            with self._changed:
                self._changed.notify_all()
