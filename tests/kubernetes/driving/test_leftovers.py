"""What earlier starts, stops and configurations left, and what becomes of it."""

from contextlib import suppress

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.adapters.kubernetes.driving import gangs, removal
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.logs import following
from scheduler.core.model.attempt import WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterUnavailable
from tests.builders.blueprints import with_spec
from tests.builders.cluster import ATTEMPT
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, wait_seen
from tests.kubernetes.driving.fake import GANG, are, run_out, wait_nothing_left
from tests.kubernetes.fake_api.server import FakeApi

OTHER_NAMESPACE = "other-jobs"


def started(cluster: KubernetesCluster) -> bool:
    with suppress(ClusterUnavailable):
        cluster.start(GANG)
        return True
    return False


def test_a_token_of_an_earlier_owner_is_never_taken_for_the_new_ones(
    api: FakeApi, cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gangs, "STALE_LIMIT_S", 0.2)
    api.create("secrets", {"metadata": {"name": ATTEMPT}})

    for _ in range(2):
        with pytest.raises(ClusterUnavailable, match=r"Secret .* of an earlier start"):
            cluster.start(GANG)
    assert not api.all("pods")
    assert not api.all("configmaps")

    api.vanish("secrets", ATTEMPT)
    eventually(lambda: started(cluster), within_s=PATIENCE_S, what="the start")
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))
    run_out(api, cluster)


def half_made(api: FakeApi, driven: Driven) -> KubernetesCluster:
    """Make all pods of the gang, open no gate, and return another life that puts its pods into another namespace."""
    api.create("namespaces", {"metadata": {"name": OTHER_NAMESPACE}})
    first = driven.cluster()
    api.faults.add(method="PATCH", times=100, code=503)
    assert not started(first)
    assert len(api.all("pods")) == 4
    first.close()
    api.faults.clear()
    return driven.cluster(namespace=OTHER_NAMESPACE)


def test_a_gang_that_was_half_made_in_another_namespace_starts_in_the_one_configured_now(
    api: FakeApi, driven: Driven
) -> None:
    second = half_made(api, driven)

    eventually(lambda: started(second), within_s=PATIENCE_S, what="the start")

    wait_seen(second, "all to run", are(WorkerPhase.RUNNING))
    kinds = ("pods", "configmaps", "secrets")
    eventually(
        lambda: {one["metadata"]["namespace"] for kind in kinds for one in api.all(kind)} == {OTHER_NAMESPACE},
        within_s=PATIENCE_S,
        what="nothing more in the old namespace",
    )
    run_out(api, second)


def test_what_is_left_in_a_namespace_of_before_is_swept(api: FakeApi, driven: Driven) -> None:
    second = half_made(api, driven)

    second.sweep((), unfinished=())

    wait_nothing_left(api)


def test_a_second_description_of_a_cluster_sweeps_none_of_the_firsts_gangs(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    first.start(GANG)
    wait_seen(first, "all to run", are(WorkerPhase.RUNNING))
    second = driven.cluster(name="other")

    second.sweep((), unfinished=())
    second.stop(ATTEMPT, grace_s=1)
    second.close()

    assert second.observe() == []
    assert len(api.all("pods")) == 4
    assert not any("deletionTimestamp" in one["metadata"] for one in api.all("pods"))


def is_followed(api: FakeApi) -> bool:
    return any(call.query.get("follow") == "true" for call in api.calls("GET", "/log"))


def test_stopping_more_workers_than_can_be_followed_loses_no_output(
    api: FakeApi, cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_FOLLOWERS", 1)
    cluster.start(GANG)
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))
    cluster.logs(WorkerKey(ATTEMPT, 0), offset=0, limit=100)
    eventually(lambda: is_followed(api), within_s=PATIENCE_S, what="the one that can be followed to be followed")

    run_out(api, cluster)

    printed = [cluster.logs(WorkerKey(ATTEMPT, rank), offset=0, limit=100).text for rank in range(4)]
    assert [text.splitlines()[0] for text in printed if text] == ["hello"] * 4
    unread = [text.count("[medley] the rest cannot be read") for text in printed]
    assert unread == [0, 1, 1, 1]  # said, and not hidden


def test_output_that_is_given_up_says_so(
    api: FakeApi, cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "LOGS_LIMIT_S", 0.5)
    api.faults.add(path="/log", times=1000, drops=True)
    cluster.start(with_spec(GANG, environment=(("RUNS_S", "0"),)))
    wait_seen(cluster, "the end", are(WorkerPhase.EXITED))

    cluster.forget(ATTEMPT)

    wait_nothing_left(api)
    chunk = cluster.logs(WorkerKey(ATTEMPT, 2), offset=0, limit=1000)
    assert chunk.text.startswith("[medley] the rest cannot be read")
    assert chunk.is_complete


def test_a_sweep_does_not_prove_again_what_is_live(
    api: FakeApi, cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.start(GANG)
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))
    proven: list[str] = []
    prove = Identity.proof

    def count(identity: Identity, namespace: str, kind: str, name: str) -> str:
        proven.append(name)
        return prove(identity, namespace, kind, name)

    monkeypatch.setattr(Identity, "proof", count)
    cluster.sweep({ATTEMPT}, unfinished=())

    assert proven == []
