"""The fake API as the cluster of a whole Medley: for what a real server does not do on request."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.builders.eventually import eventually
from tests.kubernetes.fake_api.kubelet import NEVER_S, PodScript
from tests.kubernetes.fake_api.server import NAMESPACE, FakeApi
from tests.kubernetes.faults.world import CHIP, PATIENCE_S, RESOURCE, World, entry

NODES = ("a", "b")


def fate(pod: dict[str, Any]) -> PodScript:
    """Let a pod run for as long as its variable RUNS_S says, or until it is ended."""
    said = {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0].get("env", ())}
    return PodScript(runs_s=float(said.get("RUNS_S", NEVER_S)), log=b"it ran\n")


@dataclass
class Simulated:
    """A fake API with two nodes, and a Medley that is yet to be started."""

    api: FakeApi
    medley: World

    def start(self) -> World:
        """Start Medley, and wait until it knows the nodes."""
        self.medley.start()
        eventually(lambda: set(NODES) <= set(self.medley.nodes()), within_s=PATIENCE_S, what="the nodes to be known")
        return self.medley


def simulated(api: FakeApi, folder: Path) -> Simulated:
    """Put two nodes of 8 devices into a fake API, and return it with a Medley."""
    for name in NODES:
        api.add_node(name, {RESOURCE: "8"}, {"medley/chip": CHIP})
    kubeconfig = api.kubeconfig(folder / "kubeconfig")
    return Simulated(api, World(folder / "medley", [entry(kubeconfig, NAMESPACE)], lambda: ours(api)))


def ours(api: FakeApi) -> list[str]:
    """Return the names of all objects of Medley's."""
    return [
        f"{kind}/{each['metadata']['name']}"
        for kind in ("pods", "configmaps", "secrets")
        for each in api.all(kind)
        if "medley/instance" in each["metadata"].get("labels", {})
    ]
