"""The fake API server and the real one, to be asked the same questions."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.builders.eventually import eventually
from tests.kubernetes.fake_api.faults import Denial
from tests.kubernetes.fake_api.resources import BY_PLURAL, KINDS
from tests.kubernetes.fake_api.routes import USER
from tests.kubernetes.fake_api.server import NAMESPACE, FakeApi
from tests.kubernetes.testbed.api import STRATEGIC, Api, Refused, path_of
from tests.kubernetes.testbed.control_plane import ControlPlane

GATE = {"name": "medley/gang"}
WATCH_S = 20
SOON_S = 20.0
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
Document = dict[str, Any]
PREFIXES = {kind.plural: kind.prefix.removeprefix("/") for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two, with a namespace to work in."""

    api: Api
    namespace: str
    fake: FakeApi | None = None
    real: ControlPlane | None = None

    def path(self, plural: str, name: str = "", subresource: str = "") -> str:
        """Return the path of a list in the namespace, or of an object of it."""
        prefix = PREFIXES[plural]
        is_namespaced = BY_PLURAL[(f"/{prefix}", plural)].is_namespaced
        path = path_of(plural, name, namespace=self.namespace if is_namespaced else "", group=prefix)
        return f"{path}/{subresource}" if subresource else path

    def create(self, plural: str, body: Document) -> Document:
        """Create an object. Raises Refused."""
        return self.api.create(self.path(plural), body)

    def find(self, plural: str, name: str) -> Document | None:
        """Return an object; None where it is not there."""
        return self.api.find(self.path(plural, name))

    def patch(self, plural: str, name: str, body: Any, *, kind: str = STRATEGIC, subresource: str = "") -> Document:
        """Change an object, by a strategic merge patch where nothing else is said. Raises Refused."""
        return self.api.patch(self.path(plural, name, subresource), body, kind=kind)

    def delete(self, plural: str, name: str, **options: Any) -> Document:
        """Delete an object with DeleteOptions. Raises Refused."""
        return self.api.call("DELETE", self.path(plural, name), options or None)

    def pod(self, name: str, **spec: Any) -> Document:
        """Create a pod."""
        return self.create("pods", pod(name, **spec))

    def bound(self, name: str, **spec: Any) -> Document:
        """Create a pod that lies on a node that does not exist, so that nobody touches it."""
        return self.pod(name, nodeName=f"{self.namespace}-nowhere", **spec)

    def gone(self, plural: str, name: str) -> bool:
        """Wait until an object is gone."""
        return eventually(lambda: self.find(plural, name) is None, within_s=SOON_S, what=f"the end of {plural}/{name}")

    @contextmanager
    def node(self, allocatable: Document) -> Iterator[str]:
        """A ready node for a while."""
        name = f"{self.namespace}-node"
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "lastHeartbeatTime": "2100-01-01T00:00:00Z",
        }
        self.create("nodes", {"metadata": {"name": name}})
        status = {"capacity": allocatable, "allocatable": allocatable, "conditions": [ready]}
        self.patch("nodes", name, {"status": status}, subresource="status")
        try:
            eventually(lambda: self._is_free(name), within_s=SOON_S, what="a node without taints")
            yield name
        finally:
            self.delete("nodes", name)

    @contextmanager
    def powerless(self) -> Iterator[Api]:
        """A client that may do nothing."""
        if self.real is not None:
            api = self.real.api_as(USER)
            yield api
            api.close()
            return
        fake = self._fake()
        fake.denials.add(Denial("*", "*"))
        yield self.api
        fake.denials.clear()

    def forget_history(self) -> None:
        """Compact the store, so that what is older is answered with 410."""
        if self.real is not None:
            self.real.compact_store()
            self.real.kill_api_server()
            self.real.start_api_server()
        else:
            self._fake().compact()

    def _is_free(self, node: str) -> bool:
        found = self.find("nodes", node)
        return found is not None and not found["spec"].get("taints")

    def _fake(self) -> FakeApi:
        if self.fake is None:
            raise AssertionError("a server is either the real one or the fake")
        return self.fake


@contextmanager
def fake_server() -> Iterator[Server]:
    """The fake, with its scheduler."""
    with FakeApi(schedules=True) as fake:
        api = Api(fake.url)
        yield Server(api, NAMESPACE, fake=fake)
        api.close()


def pod(name: str, **spec: Any) -> Document:
    """Return a pod of one container; fields of its spec as given."""
    container = {"name": "main", "image": "example.com/image:1"}
    spec = {"terminationGracePeriodSeconds": 20, "containers": [container], **spec}
    return {"metadata": {"name": name}, "spec": spec}


def container(**resources: Document) -> Document:
    """Return a container with resources (`requests`, `limits`)."""
    return {"name": "main", "image": "example.com/image:1", "resources": resources}


def on_node(name: str) -> Document:
    """Return the affinity that leaves one node by its name."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}}


def refusal(call: Any, *given: Any, **named: Any) -> Refused:
    """Return how a call is refused."""
    try:
        call(*given, **named)
    except Refused as refused:
        return refused
    raise AssertionError("the call was not refused")


def events(api: Api, path: str, query: Mapping[str, str], *, seconds: int = WATCH_S) -> Iterator[tuple[str, Document]]:
    """Yield the type and object of each event of a watch, until it ends."""
    lines = api.watch(path, silence_s=2.0 * WATCH_S, **{**query, "watch": "true", "timeoutSeconds": str(seconds)})
    try:
        for line in lines:
            event = json.loads(line)
            yield event["type"], event["object"]
    finally:
        lines.close()
