"""The bare loop: the calls of the Kubernetes API that a pod's life needs, by 16 threads, with plain dictionaries.

It knows nothing, decides nothing and keeps nothing: what Medley takes beyond it is the price of everything else.
A process of its own: `python -m bench.kubernetes.bare`, asked by `bench.kubernetes.children`.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import urllib3

from bench.kubernetes.children import answer_questions
from bench.kubernetes.plain_watch import PlainWatch

THREADS = 16
LIFE_LIMIT_S = 120.0
CALL_LIMIT_S = 30.0
FIRST_ERROR = 400
NOT_FOUND = 404
STRATEGIC = "application/strategic-merge-patch+json"


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the API server: its address and the paths of authority, certificate and key."""

    url: str
    authority: str
    certificate: str
    key: str

    def pool(self) -> urllib3.HTTPSConnectionPool:
        """Return connections for all threads."""
        pool = urllib3.connection_from_url(
            self.url, maxsize=THREADS + 4, ca_certs=self.authority, cert_file=self.certificate, key_file=self.key
        )
        assert isinstance(pool, urllib3.HTTPSConnectionPool)
        return pool

    def as_dict(self) -> dict[str, str]:
        """Return it as a child reads it."""
        return asdict(self)


class Caller:
    """Calls of one server. For any thread."""

    def __init__(self, access: Access) -> None:
        self._pool = access.pool()

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, kind: str = "application/json"
    ) -> dict[str, Any]:
        """Make a call and return its document; DELETE of what is gone is none. Raises RuntimeError for a refusal."""
        answer = self._send(method, path, None if body is None else json.dumps(body).encode(), kind)
        if answer.status >= FIRST_ERROR and not (answer.status == NOT_FOUND and method == "DELETE"):
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:300]!r}")
        found: dict[str, Any] = json.loads(answer.data)
        return found

    def log(self, path: str) -> bytes:
        """Return a log, or why there is none."""
        return self._send("GET", f"{path}/log?container=worker&timestamps=true", None, "").data

    def _send(self, method: str, path: str, body: bytes | None, kind: str) -> urllib3.BaseHTTPResponse:
        headers = {"Content-Type": kind} if body is not None else {}
        return self._pool.urlopen(method, path, body=body, headers=headers, retries=False, timeout=CALL_LIMIT_S)


@dataclass(frozen=True, slots=True)
class Templates:
    """The objects of a gang as Medley makes them, each once; names are put in."""

    namespace: str
    owner: dict[str, Any]
    secret: dict[str, Any]
    pod: dict[str, Any]
    release: dict[str, Any]
    """The patch that names a node and opens the gate."""

    def named(self, document: Mapping[str, Any], name: str, attempt: str, owner: str | None) -> dict[str, Any]:
        """Return a copy with another name, attempt and owner's UID."""
        head = dict(document["metadata"])
        head["name"] = name
        head["labels"] = head["labels"] | {"medley/attempt": attempt}
        if owner is not None:
            head["ownerReferences"] = [head["ownerReferences"][0] | {"name": attempt, "uid": owner}]
        return {**document, "metadata": head}

    def released(self, node: str, uid: str) -> dict[str, Any]:
        """Return the patch that lets a pod go to a node."""
        term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        needed = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        return {
            "metadata": {"uid": uid},
            "spec": {**self.release["spec"], "affinity": {"nodeAffinity": needed}},
        }


class Loop:
    """Both loops on one server."""

    def __init__(self, access: Access, templates: Templates) -> None:
        self._access = access
        self._caller = Caller(access)
        self._templates = templates
        self._root = f"/api/v1/namespaces/{templates.namespace}"

    def start_gang(self, attempt: str, nodes: list[str]) -> dict[str, float]:
        """Make a gang with one pod per node and let all go; return when it began and when the last was let go."""
        began_s = time.time()
        owner = self._holders(attempt)
        with ThreadPoolExecutor(THREADS) as threads:
            uids = list(threads.map(lambda rank: self._pod(attempt, rank, owner), range(len(nodes))))
            ranks = range(len(nodes))
            list(threads.map(lambda rank: self._release(attempt, rank, nodes[rank], uids[rank]), ranks))
        return {"began_s": began_s, "released_s": time.time()}

    def live(self, prefix: str, nodes: list[str], count: int) -> dict[str, float]:
        """Let so many pods live from their owner's creation to its deletion; return when it began and ended."""
        watch = PlainWatch(self._access.pool(), f"{self._root}/pods", "medley/bare=true")
        watch.start()
        began_s = time.time()
        try:
            with ThreadPoolExecutor(THREADS) as threads:
                list(
                    threads.map(
                        lambda number: self._life(watch, f"{prefix}{number:04}", nodes[number % len(nodes)]),
                        range(count),
                    )
                )
        finally:
            watch.close()
        return {"began_s": began_s, "ended_s": time.time()}

    def _life(self, watch: PlainWatch, attempt: str, node: str) -> None:
        ended = watch.expect_end(f"{attempt}-r0")
        owner = self._holders(attempt)
        uid = self._pod(attempt, 0, owner, {"medley/bare": "true"})
        self._release(attempt, 0, node, uid)
        pod = f"{self._root}/pods/{attempt}-r0"
        if not ended.wait(LIFE_LIMIT_S):
            raise RuntimeError(f"{pod} did not end within {LIFE_LIMIT_S:g} s")
        self._caller.log(pod)
        self._caller.call("DELETE", pod, {"gracePeriodSeconds": 1, "preconditions": {"uid": uid}})
        self._caller.call("DELETE", f"{self._root}/configmaps/{attempt}", {"preconditions": {"uid": owner}})

    def _holders(self, attempt: str) -> str:
        templates, call = self._templates, self._caller.call
        owner = call("POST", f"{self._root}/configmaps", templates.named(templates.owner, attempt, attempt, None))
        uid = str(owner["metadata"]["uid"])
        call("POST", f"{self._root}/secrets", templates.named(templates.secret, attempt, attempt, uid))
        return uid

    def _pod(self, attempt: str, rank: int, owner: str, labels: Mapping[str, str] | None = None) -> str:
        document = self._templates.named(self._templates.pod, f"{attempt}-r{rank}", attempt, owner)
        document["metadata"]["labels"] |= labels or {}
        return str(self._caller.call("POST", f"{self._root}/pods", document)["metadata"]["uid"])

    def _release(self, attempt: str, rank: int, node: str, uid: str) -> None:
        self._caller.call(
            "PATCH", f"{self._root}/pods/{attempt}-r{rank}", self._templates.released(node, uid), STRATEGIC
        )


def main() -> None:
    """Answer `{"open": {access, templates}}`, then `{"gang": ...}` and `{"live": ...}`."""
    loops: list[Loop] = []

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        if "open" in question:
            given = question["open"]
            loops[:] = [Loop(Access(**given["access"]), Templates(**given["templates"]))]
            return {}
        acts: dict[str, Callable[..., dict[str, float]]] = {"gang": loops[0].start_gang, "live": loops[0].live}
        ((name, arguments),) = question.items()
        return acts[name](**arguments)

    answer_questions(answer)


if __name__ == "__main__":
    threading.stack_size(512 * 1024)
    main()
