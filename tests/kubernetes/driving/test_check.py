"""What `medley clusters check` says of clusters that can and cannot be driven."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.adapters.kubernetes.driving.check import PERMISSIONS
from scheduler.ports.cluster import Finding
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, node_document
from tests.kubernetes.fake_api.faults import Denial
from tests.kubernetes.fake_api.server import NAMESPACE, FakeApi


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as fake:
        fake.create("nodes", node_document())
        yield fake


@pytest.fixture
def driven(api: FakeApi, tmp_path: Path) -> Iterator[Driven]:
    made = Driven(api.kubeconfig(tmp_path / "kubeconfig"), tmp_path / "data")
    yield made
    made.close()


def faults(findings: tuple[Finding, ...]) -> list[Finding]:
    return [one for one in findings if not one.is_ok]


def test_a_cluster_that_can_be_driven_has_no_faults(driven: Driven) -> None:
    cluster = driven.cluster()

    findings = cluster.check()

    assert faults(findings) == []
    assert {"API server", f"namespace {NAMESPACE}", "permissions", "following pods"} <= {one.what for one in findings}


@pytest.mark.parametrize(
    ("verb", "resource"), [(verb, known.resource) for known in PERMISSIONS for verb in known.verbs]
)
def test_each_missing_permission_is_named(api: FakeApi, driven: Driven, verb: str, resource: str) -> None:
    cluster = driven.cluster()
    api.denials.add(Denial(verb, resource))

    found = faults(cluster.check())

    named = [one for one in found if one.what.startswith(f"permission to {verb} {resource} in ")]
    assert named
    assert all(one.next_step for one in named)


def test_nothing_is_asked_for_that_is_not_needed(api: FakeApi, driven: Driven) -> None:
    needed = {(verb, known.resource) for known in PERMISSIONS for verb in known.verbs}

    assert ("get", "secrets") not in needed
    assert not any("*" in (verb, resource) for verb, resource in needed)
    assert not any(resource in ("pods/binding", "namespaces") for _, resource in needed)


def test_a_missing_namespace_is_named(driven: Driven) -> None:
    cluster = driven.cluster(namespace="nowhere")

    found = faults(cluster.check())

    assert [one.what for one in found] == ["namespace nowhere"]
    assert found[0].next_step == "create the namespace nowhere"


def test_a_watch_that_does_not_come_to_be_is_named(api: FakeApi, driven: Driven) -> None:
    api.denials.add(Denial("list", "nodes"))
    cluster = driven.unready()

    def found() -> list[Finding]:
        return [one for one in faults(cluster.check()) if one.what == "following nodes" and "nodes" in one.detail]

    assert eventually(found, within_s=PATIENCE_S, what="the fault")[0].next_step


def test_a_server_that_is_gone_is_the_only_fault(api: FakeApi, driven: Driven) -> None:
    cluster = driven.cluster()
    api.stop()

    found = cluster.check()

    assert [(one.what, one.is_ok) for one in found] == [("API server", False)]
