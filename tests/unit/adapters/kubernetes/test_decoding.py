from datetime import UTC, datetime
from typing import Any

import pytest

from scheduler.adapters.kubernetes.decoding import map_view, node_view, pod_view
from scheduler.adapters.kubernetes.rendering.release import release_patch
from scheduler.adapters.kubernetes.views import Condition, ContainerView, MapView, Ownership, Taint

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OURS = {
    "medley/instance": "abc",
    "medley/attempt": "job-1",
    "medley/rank": "3",
    "medley/generation": "2",
    "medley/job": "job",
}


def container(name: str = "worker", **requests: str) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": requests}}


def pod(*, spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "p",
            "namespace": "n",
            "uid": "u",
            "resourceVersion": "17",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "managedFields": [{"manager": "x"}],
            **metadata,
        },
        "spec": {"containers": [container()], **(spec or {})},
        "status": status or {},
    }


def requests_of(**spec: Any) -> dict[str, int]:
    return dict(pod_view(pod(spec=spec)).requests)


def container_of(status: dict[str, Any]) -> ContainerView | None:
    return pod_view(pod(labels=OURS, status=status)).container


def test_a_pod_is_read() -> None:
    view = pod_view(
        pod(
            spec={"nodeName": "node-1", "schedulingGates": [{"name": "medley/gang"}]},
            status={"phase": "Failed", "reason": "OutOfcpu", "message": "no " * 1000},
            deletionTimestamp="2026-01-02T03:04:05Z",
            deletionGracePeriodSeconds=30,
        )
    )
    assert (view.key, view.uid, view.version, view.node) == ("n/p", "u", 17, "node-1")
    assert (view.phase, view.reason, view.is_over, view.is_gated) == ("Failed", "OutOfcpu", True, True)
    assert (view.deleted_at, view.deletion_grace_s) == (THEN, 30)
    assert len(view.message) == 1000
    assert (view.ownership, view.container) == (None, None)


def test_a_pod_that_nothing_happened_to_yet_is_read() -> None:
    view = pod_view(pod())
    assert (view.node, view.phase, view.is_gated, view.deleted_at, view.requests) == ("", "", False, None, ())


def test_what_our_pods_say_of_themselves_is_kept() -> None:
    view = pod_view(
        pod(
            labels=OURS,
            annotations={"medley/proof": "p"},
            ownerReferences=[{"uid": "a"}, {"uid": "b", "controller": True}],
        )
    )
    assert view.ownership == Ownership("abc", "job-1", rank=3, generation=2, proof="p", owner_uid="b")


def test_the_node_a_pod_was_released_to_is_read_from_what_pins_it() -> None:
    released = pod_view(pod(labels=OURS, spec=release_patch("node-7", "u")["spec"] | {"schedulingGates": []}))
    assert released.ownership is not None
    assert released.ownership.released_to == "node-7"
    by_label = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]}
    other = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": by_label}}
    others: list[dict[str, Any]] = [other, {}, {"podAffinity": {}}]
    for affinity in others:
        view = pod_view(pod(labels=OURS, spec={"affinity": affinity}))
        assert view.ownership is not None
        assert view.ownership.released_to == ""


@pytest.mark.parametrize("rank", ["", "x", "-1", "1" * 63, "1.5"])
def test_a_rank_that_is_no_number_is_none_of_ours(rank: str) -> None:
    ownership = pod_view(pod(labels={**OURS, "medley/rank": rank})).ownership
    assert ownership is not None
    assert ownership.rank == -1


def test_the_conditions_that_matter_are_kept() -> None:
    status = {
        "conditions": [
            {"type": "Initialized", "status": "True"},
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/1",
                "lastTransitionTime": "2026-01-02T03:04:05Z",
            },
        ]
    }
    (condition,) = pod_view(pod(labels=OURS, status=status)).conditions
    assert condition == Condition("PodScheduled", "False", "Unschedulable", "0/1", THEN)


def test_the_main_container_is_found_by_its_name() -> None:
    view = container_of(
        {
            "containerStatuses": [
                {"name": "another", "state": {"running": {}}},
                {
                    "name": "worker",
                    "state": {
                        "terminated": {
                            "exitCode": 137,
                            "reason": "OOMKilled",
                            "message": "m",
                            "startedAt": "2026-01-02T03:04:05Z",
                            "finishedAt": "2026-01-02T03:04:05Z",
                        }
                    },
                },
            ]
        }
    )
    assert view == ContainerView("", "m", None, True, 137, "OOMKilled", THEN, THEN)


def test_what_a_webhook_puts_before_the_worker_is_not_the_worker() -> None:
    status = {
        "containerStatuses": [
            {"name": "sidecar", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
            {"name": "worker", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}},
        ]
    }
    containers = [container("sidecar"), container()]

    view = pod_view(pod(labels=OURS, spec={"containers": containers}, status=status)).container

    assert view is not None
    assert view.exit_code == 3


def test_a_pod_without_a_worker_has_no_container_of_ours() -> None:
    status = {"containerStatuses": [{"name": "other", "state": {"running": {}}}]}

    assert pod_view(pod(labels=OURS, spec={"containers": [container("other")]}, status=status)).container is None


def test_a_running_container_is_running() -> None:
    view = container_of(
        {"containerStatuses": [{"name": "worker", "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}}]}
    )
    assert view is not None
    assert (view.running_since, view.has_ended, view.exit_code, view.waiting_reason) == (THEN, False, None, "")


def test_no_status_is_no_container() -> None:
    assert container_of({}) is None


@pytest.mark.parametrize(
    ("state", "waiting_reason", "exit_code", "want_message"),
    [
        (
            {"waiting": {"reason": "ImagePullBackOff", "message": "m"}},
            "ImagePullBackOff",
            None,
            "init container i: m",
        ),
        (
            {"terminated": {"exitCode": 2, "message": "m", "startedAt": "2026-01-02T03:04:05Z"}},
            "",
            2,
            "init container i: m",
        ),
        ({"terminated": {"exitCode": 2}}, "", 2, "init container i"),
    ],
)
def test_an_init_container_that_is_in_the_way_is_shown_instead(
    state: dict[str, Any], waiting_reason: str, exit_code: int | None, want_message: str
) -> None:
    view = container_of(
        {
            "initContainerStatuses": [
                {"name": "done", "state": {"terminated": {"exitCode": 0}}},
                {"name": "i", "state": state},
            ],
            "containerStatuses": [{"name": "worker", "state": {"waiting": {"reason": "PodInitializing"}}}],
        }
    )
    assert view is not None
    assert (view.waiting_reason, view.exit_code, view.message) == (waiting_reason, exit_code, want_message)
    assert view.is_before_worker
    assert view.started_at is None  # the worker did not


def test_init_containers_that_do_their_work_are_not_shown() -> None:
    view = container_of(
        {
            "initContainerStatuses": [
                {"name": "i", "state": {"running": {}}},
                {"name": "j", "state": {"waiting": {"reason": "PodInitializing"}}},
            ],
            "containerStatuses": [{"name": "worker", "state": {"waiting": {"reason": "PodInitializing"}}}],
        }
    )
    assert view is not None
    assert view.waiting_reason == "PodInitializing"


def test_containers_and_overhead_add_up_before_rounding() -> None:
    both = [container(cpu="100m", memory="1537Ki"), container("b", cpu="1", memory="1Ki", **{"x.y/gpu": "2"})]
    assert requests_of(containers=both, overhead={"cpu": "50m"}) == {"cpu": 1150, "memory": 2, "x.y/gpu": 2}


def test_the_largest_init_container_counts_where_it_is_larger() -> None:
    inits = [container("i", cpu="3", memory="1Mi"), container("j", cpu="2")]
    assert requests_of(containers=[container(cpu="1", memory="5Mi")], initContainers=inits) == {
        "cpu": 3000,
        "memory": 5,
    }


def test_sidecars_count_beside_the_containers_and_beside_later_init_containers() -> None:
    sidecar = {**container("s", cpu="1"), "restartPolicy": "Always"}
    assert requests_of(containers=[container(cpu="2")], initContainers=[sidecar]) == {"cpu": 3000}
    assert requests_of(containers=[container(cpu="1")], initContainers=[sidecar, container("i", cpu="4")]) == {
        "cpu": 5000
    }
    assert requests_of(containers=[container(cpu="1")], initContainers=[container("i", cpu="4"), sidecar]) == {
        "cpu": 4000
    }


def test_what_is_said_for_the_whole_pod_goes_before_its_containers() -> None:
    spec = {"containers": [container(cpu="1", memory="1Gi")], "resources": {"requests": {"cpu": "7"}}}
    assert requests_of(**spec) == {"cpu": 7000, "memory": 1024}


def test_a_limit_without_a_request_is_a_request() -> None:
    resources = {"requests": {"cpu": "1"}, "limits": {"cpu": "2", "x.y/gpu": "4"}}
    assert requests_of(containers=[{"name": "worker", "resources": resources}]) == {"cpu": 1000, "x.y/gpu": 4}
    assert requests_of(containers=[{"name": "worker", "resources": {"limits": {"cpu": "2"}}}]) == {"cpu": 2000}


def test_pods_alike_share_what_they_take() -> None:
    spec = {"containers": [container(cpu="1", memory="1Gi")]}
    assert pod_view(pod(spec=spec)).requests is pod_view(pod(spec=spec)).requests


def test_what_is_no_pod_is_an_error() -> None:
    documents: list[dict[str, Any]] = [{}, {"metadata": {}}, pod(resourceVersion="x")]
    for broken in documents:
        with pytest.raises((KeyError, ValueError)):
            pod_view(broken)


def node(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "n1", "uid": "u", "resourceVersion": "5", "labels": {"a/b": "c"}},
        "spec": {},
        "status": status,
    }


def test_a_node_is_read() -> None:
    document = node(
        allocatable={"cpu": "3920m", "memory": "1025Ki", "pods": "110", "x.y/gpu": "8"},
        capacity={"cpu": "4"},
        conditions=[{"type": "Ready", "status": "Unknown", "reason": "r", "message": "m", "lastTransitionTime": None}],
    )
    document["spec"] = {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]}
    document["metadata"]["annotations"] = {"hami.io/node-register": "x", "kubectl/last": "y"}
    view = node_view(document)
    assert (view.key, view.uid, view.version, view.labels, view.is_cordoned) == ("n1", "u", 5, {"a/b": "c"}, True)
    assert dict(view.allocatable) == {"cpu": 3920, "memory": 1, "pods": 110, "x.y/gpu": 8}
    assert dict(view.capacity) == {"cpu": 4000}
    assert view.taints == (Taint("k", "", "NoSchedule"),)
    assert view.conditions == (Condition("Ready", "Unknown", "r", "m", None),)
    assert view.annotations == {"hami.io/node-register": "x"}
    assert view.unreadable == ()


def test_absurd_quantities_are_named_and_count_as_none() -> None:
    absurd = {"x.y/gpu": "-3", "z/z": "9" * 30, "w/w": "many"}
    view = node_view(node(allocatable={**absurd, "cpu": "1"}, capacity=absurd))
    assert dict(view.allocatable) == {"cpu": 1000}
    assert view.capacity == ()
    assert view.unreadable == ("w/w=many", "x.y/gpu=-3", f"z/z={'9' * 30}")


def test_a_node_that_said_nothing_yet_is_read() -> None:
    view = node_view({"metadata": {"name": "n", "uid": "u", "resourceVersion": "1"}})
    assert (view.labels, view.allocatable, view.conditions, view.is_cordoned) == ({}, (), (), False)


def test_a_config_map_is_read_without_its_data() -> None:
    metadata = pod(labels=OURS, annotations={"medley/proof": "p"}, deletionTimestamp="2026-01-02T03:04:05Z")["metadata"]
    view = map_view({"metadata": metadata, "data": {"launch.json": "x"}})
    assert view == MapView("u", "n", "p", 17, True, "abc", "job-1", "p")
