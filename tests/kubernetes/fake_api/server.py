"""The fake as an object: start it, look at it, break it."""

import json
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.kubernetes.fake_api.answers import Json, Refusal, not_found
from tests.kubernetes.fake_api.controllers import (
    Controller,
    Controllers,
    GarbageCollector,
    NamespaceEnder,
    NodeKeeper,
    QuotaKeeper,
)
from tests.kubernetes.fake_api.faults import Denial, Faults
from tests.kubernetes.fake_api.kubelet import Kubelet, PodScript
from tests.kubernetes.fake_api.logs import LogBook
from tests.kubernetes.fake_api.metadata import key_of
from tests.kubernetes.fake_api.patching import MERGE
from tests.kubernetes.fake_api.registry import DeleteOptions, Guard, Place, Registry
from tests.kubernetes.fake_api.resources import KINDS, NAMESPACES, NODES, PODS, Kind
from tests.kubernetes.fake_api.routes import Request, Routes
from tests.kubernetes.fake_api.scheduling import Scheduler
from tests.kubernetes.fake_api.serving import Listener
from tests.kubernetes.fake_api.store import Store
from tests.kubernetes.fake_api.watching import Trouble, Watch

NAMESPACE = "medley-jobs"
LONGEST_CALL_LOG = 100_000
DENIED = 'admission webhook "{webhook}" denied the request: {message}'
WEBHOOK = "policy.example.com"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a client made."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON; None where there is none."""
        return json.loads(self.body) if self.body else None

    @property
    def is_watch(self) -> bool:
        """Say whether it opened a watch."""
        return self.query.get("watch") in ("true", "1")


@dataclass(frozen=True, slots=True)
class Security:
    """TLS of the server: PEM files of its certificate, key, and the authority that clients shall trust."""

    certificate: Path
    key: Path
    authority: Path


class FakeApi:
    """A Kubernetes API server in this process; as a context manager it runs inside.

    `schedules` switches the small scheduler on, `script` the scripted kubelet. Objects outlive `stop` and `start`.
    """

    def __init__(
        self,
        *,
        schedules: bool = False,
        script: Callable[[Json], PodScript] | None = None,
        token: str | None = None,
        security: Security | None = None,
        bookmark_every_s: float = 60.0,
        namespaces: Sequence[str] = ("default", NAMESPACE),
    ) -> None:
        self.store = Store()
        self.registry = Registry(self.store)
        self.faults = Faults()
        self.logs = LogBook(self.store)
        self.client_calls: deque[Call] = deque(maxlen=LONGEST_CALL_LOG)
        self.scheduler = Scheduler(self.registry, is_on=schedules)
        self.kubelet = Kubelet(self.registry, self.logs, script or (lambda _: PodScript()))
        self._routes = Routes(self.registry, self.logs, token=token, bookmark_every_s=bookmark_every_s)
        self._security = security
        self._listener: Listener | None = None
        self._port = 0
        parts: list[Controller] = [
            GarbageCollector(self.registry),
            NamespaceEnder(self.registry),
            QuotaKeeper(self.store),
            NodeKeeper(self.store),
            self.scheduler,
        ]
        self._controllers = Controllers(self.store, [*parts, self.kubelet] if script else parts)
        for name in namespaces:
            self.registry.create(Place(NAMESPACES), {"metadata": {"name": name}})

    def __enter__(self) -> Self:
        self._controllers.start()
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        self._controllers.stop()

    @property
    def url(self) -> str:
        """Where it answers; the same again after a stop and a start."""
        return f"{'https' if self._security else 'http'}://127.0.0.1:{self._port}"

    @property
    def denials(self) -> set[Denial]:
        """The permissions that clients lack, here and in a SelfSubjectAccessReview; to be changed at will."""
        return self._routes.denials

    def start(self) -> None:
        """Listen, after `stop` on the same port."""
        self.faults.ended.clear()
        self._listener = Listener(self._port, self._routes, self.faults, self._note)
        self._port = self._listener.server_address[1]
        if self._security is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._security.certificate, self._security.key)
            self._listener.secure(context)
        self._listener.start()

    def stop(self) -> None:
        """Refuse connections and break those that are open."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        self.faults.ended.set()
        with self.store.lock:
            for watch in self._routes.open_watches():
                watch.is_over = True
            self.store.changed.notify_all()
        listener.stop()

    def kubeconfig(self, path: Path, *, namespace: str = "default") -> Path:
        """Write a kubeconfig for it, and return its path."""
        cluster: Json = {"server": self.url}
        if self._security is not None:
            cluster["certificate-authority"] = str(self._security.authority)
        user = {} if self._routes.token is None else {"token": self._routes.token}
        context = {"cluster": "fake", "user": "tester", "namespace": namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": cluster}],
            "users": [{"name": "tester", "user": user}],
            "contexts": [{"name": "fake", "context": context}],
            "current-context": "fake",
        }
        path.write_text(json.dumps(config, indent=1), "utf-8")
        return path

    def get(self, plural: str, name: str, namespace: str = NAMESPACE) -> Json | None:
        """Return an object as it is, without a request; None where it is not there."""
        kind = _kind(plural)
        with self.store.lock:
            stored = self.store.get(kind, key_of(kind, namespace, name))
        return stored.whole if stored else None

    def all(self, plural: str) -> list[Json]:
        """Return all objects of a kind, without a request."""
        with self.store.lock:
            return [stored.whole for stored in self.store.all(_kind(plural))]

    def create(self, plural: str, body: Json, namespace: str = NAMESPACE) -> Json:
        """Make an object as somebody else, without a request. Raises Refusal."""
        return self.registry.create(Place(_kind(plural), namespace), body).whole

    def patch(self, plural: str, name: str, patch: Json, *, namespace: str = NAMESPACE, subresource: str = "") -> Json:
        """Change an object by a merge patch as somebody else, without a request. Raises Refusal."""
        return self.registry.patch(Place(_kind(plural), namespace, name, subresource), patch, MERGE).whole

    def delete(self, plural: str, name: str, *, namespace: str = NAMESPACE, grace_s: int | None = None) -> None:
        """Let an object go as somebody else, without a request. Raises Refusal."""
        self.registry.delete(Place(_kind(plural), namespace, name), DeleteOptions(grace_s))

    def vanish(self, plural: str, name: str, namespace: str = NAMESPACE) -> None:
        """Remove an object at once, whatever it says, as when a node's pods are collected. Raises Refusal."""
        kind = _kind(plural)
        with self.store.lock:
            key = key_of(kind, namespace, name)
            if self.store.get(kind, key) is None:
                raise not_found(plural, name)
            self.store.remove(kind, key)

    def add_node(
        self, name: str, allocatable: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None
    ) -> Json:
        """Add a node that is ready; without resources it has 64 cores, 256 GiB and room for 110 pods."""
        room = {"cpu": "64", "memory": "256Gi", "pods": "110", **(allocatable or {})}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is ready"}
        status = {"capacity": room, "allocatable": room, "conditions": [ready]}
        with self.store.lock:
            self.registry.create(
                Place(NODES), {"metadata": {"name": name, "labels": dict(labels or {})}, "status": status}
            )
            return self.patch("nodes", name, {"spec": {"taints": None}})

    def set_ready(self, node: str, status: str) -> None:
        """Let a node say of itself that it is ready (`True`), not (`False`), or is not heard of (`Unknown`)."""
        ready = {"type": "Ready", "status": status, "reason": f"Became{status}", "message": ""}
        self.patch("nodes", node, {"status": {"conditions": [ready]}}, subresource="status")

    def end_pod(self, name: str, exit_code: int = 0, namespace: str = NAMESPACE) -> None:
        """Let a pod's containers end now, as the scripted kubelet would."""
        with self.store.lock:
            self.kubelet.end(self.registry.read(Place(PODS, namespace, name)), exit_code)

    def refuse_pods(self, when: Callable[[Json], bool], message: str, *, code: int = 403) -> Guard:
        """Let an admission webhook say no to new pods; remove the returned guard from `registry.guards` to end it."""
        text = DENIED.format(webhook=WEBHOOK, message=message)

        def guard(pod: Json) -> Refusal | None:
            return Refusal(code, text) if when(pod) else None

        self.registry.guards.append(guard)
        return guard

    def compact(self) -> None:
        """Forget the history: older versions and continue tokens are answered with 410."""
        with self.store.lock:
            self.store.compact()

    def watches(self, plural: str = "") -> list[Watch]:
        """Return the watches that are running, of one kind or of all."""
        return [watch for watch in self._routes.open_watches() if plural in ("", watch.query.kind.plural)]

    def trouble(self, what: Trouble | bytes, plural: str = "") -> int:
        """Do something to the running watches, or send them a line that is none; return how many there were."""
        with self.store.lock:
            watches = self.watches(plural)
            for watch in watches:
                watch.orders.append(what)
            self.store.changed.notify_all()
        return len(watches)

    def calls(self, method: str = "", path: str = "") -> list[Call]:
        """Return the requests so far of a method, or to paths that contain something."""
        return [call for call in list(self.client_calls) if call.method.startswith(method) and path in call.path]

    def _note(self, request: Request) -> None:
        self.client_calls.append(Call(request.method, request.path, request.parameters, request.headers, request.body))


def _kind(plural: str) -> Kind:
    return next(kind for kind in KINDS if kind.plural == plural)
