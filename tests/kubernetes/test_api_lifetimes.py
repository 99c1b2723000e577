"""How objects go, and who binds pods: asked of the fake API server and of the real one."""

import pytest

from tests.builders.eventually import eventually
from tests.kubernetes.either_server import GATE, SOON_S, Document, Server, container, on_node, pod, refusal
from tests.kubernetes.testbed.api import MERGE, Refused, path_of

GATED = {"schedulingGates": [GATE]}
HELD = ["example.com/held"]
NO_USE = "no new claims to deallocate, preemption: 0/{n} nodes are available: {n} Preemption is not helpful"


def owner_of(owner: Document, **more: object) -> Document:
    known = owner["metadata"]
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": known["name"], "uid": known["uid"], **more}


def owned(name: str, owners: list[Document], **spec: object) -> Document:
    body = pod(name, **spec)
    body["metadata"]["ownerReferences"] = owners
    return body


@pytest.mark.parametrize("plural", ["pods", "configmaps"])
def test_a_deletion_meant_for_another_object_is_a_conflict(server: Server, plural: str) -> None:
    made = server.create(plural, pod("a", **GATED) if plural == "pods" else {"metadata": {"name": "a"}})
    kind, known = made["kind"], made["metadata"]

    uid = refusal(server.delete, plural, "a", preconditions={"uid": "wrong"})
    version = refusal(server.delete, plural, "a", preconditions={"resourceVersion": "1"})

    assert (uid.status, uid.reason) == (409, "Conflict")
    assert uid.body["message"] == (
        f'Operation cannot be fulfilled on {kind} "a": the UID in the precondition (wrong) does not match the UID in '
        f"record ({known['uid']}). The object might have been deleted and then recreated"
    )
    assert version.body["message"] == (
        f'Operation cannot be fulfilled on {kind} "a": the ResourceVersion in the precondition (1) does not match the '
        f"ResourceVersion in record ({known['resourceVersion']}). The object might have been modified"
    )
    server.delete(plural, "a", preconditions={"uid": known["uid"]})
    assert server.find(plural, "a") is None


def test_a_deleted_map_is_answered_with_a_status_and_a_deleted_pod_with_itself(server: Server) -> None:
    made = server.create("configmaps", {"metadata": {"name": "a"}})
    server.pod("a", **GATED)

    status = server.delete("configmaps", "a")
    last = server.delete("pods", "a")

    details = {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert (status["kind"], status["status"], status["details"]) == ("Status", "Success", details)
    assert (last["kind"], last["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 0)


@pytest.mark.parametrize("grace_s", [None, 5])
def test_a_gated_pod_goes_at_once(server: Server, grace_s: int | None) -> None:
    server.pod("a", **GATED)

    server.delete("pods", "a", **({} if grace_s is None else {"gracePeriodSeconds": grace_s}))

    assert server.find("pods", "a") is None


def test_a_pod_on_a_node_stays_for_its_grace_which_is_only_shortened(server: Server) -> None:
    made = server.bound("a")

    first = server.delete("pods", "a", gracePeriodSeconds=15)["metadata"]
    longer = server.delete("pods", "a", gracePeriodSeconds=18)["metadata"]
    unsaid = server.delete("pods", "a")["metadata"]
    shorter = server.delete("pods", "a", gracePeriodSeconds=5)["metadata"]

    assert first["deletionGracePeriodSeconds"] == 15
    assert first["generation"] == made["metadata"]["generation"] + 1
    assert longer == unsaid == first
    assert shorter["deletionGracePeriodSeconds"] == 5
    assert shorter["deletionTimestamp"] < first["deletionTimestamp"]
    assert int(shorter["resourceVersion"]) > int(first["resourceVersion"])
    assert server.find("pods", "a")
    server.delete("pods", "a", gracePeriodSeconds=0)
    assert server.find("pods", "a") is None


def test_the_grace_of_a_pod_is_its_own_where_nothing_is_said(server: Server) -> None:
    server.bound("a", terminationGracePeriodSeconds=17)

    assert server.delete("pods", "a")["metadata"]["deletionGracePeriodSeconds"] == 17


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_goes_at_once(server: Server, phase: str) -> None:
    server.bound("a")
    server.patch("pods", "a", {"status": {"phase": phase}}, subresource="status")

    server.delete("pods", "a", gracePeriodSeconds=30)

    assert server.find("pods", "a") is None


@pytest.mark.parametrize("plural", ["pods", "configmaps"])
def test_a_finalizer_holds_an_object_until_it_is_removed(server: Server, plural: str) -> None:
    body: Document = pod("a", **GATED) if plural == "pods" else {"metadata": {"name": "a"}}
    body["metadata"]["finalizers"] = HELD
    server.create(plural, body)

    held = server.delete(plural, "a")["metadata"]
    more = refusal(server.patch, plural, "a", {"metadata": {"finalizers": [*HELD, "example.com/more"]}}, kind=MERGE)
    server.patch(plural, "a", {"metadata": {"finalizers": None}}, kind=MERGE)

    assert (held["finalizers"], held["deletionGracePeriodSeconds"]) == (HELD, 0)
    assert held["deletionTimestamp"]
    assert "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted" in str(more)
    assert server.find(plural, "a") is None


def test_what_an_owner_owned_goes_after_it(server: Server) -> None:
    owner = server.create("configmaps", {"metadata": {"name": "owner"}})
    other = server.create("configmaps", {"metadata": {"name": "other"}})
    ours = owner_of(owner, controller=True, blockOwnerDeletion=False)
    server.create("pods", owned("gated", [ours], **GATED))
    server.create("pods", owned("bound", [ours], nodeName=f"{server.namespace}-nowhere"))
    server.create("pods", owned("shared", [ours, owner_of(other)], **GATED))
    server.create("secrets", {"metadata": {"name": "secret", "ownerReferences": [ours]}})

    server.delete("configmaps", "owner")

    assert server.gone("pods", "gated")
    assert server.gone("secrets", "secret")
    going = eventually(
        lambda: (server.find("pods", "bound") or {"metadata": {"deletionGracePeriodSeconds": "gone"}})["metadata"].get(
            "deletionGracePeriodSeconds"
        ),
        within_s=SOON_S,
    )
    assert going == 20
    assert "deletionTimestamp" not in (server.find("pods", "shared") or {})["metadata"]


def test_what_is_owned_by_nobody_goes_by_itself(server: Server) -> None:
    nobody = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "00000000-0000-0000-0000-000000000001"}

    server.create("pods", owned("a", [nobody], **GATED))

    assert server.gone("pods", "a")


def test_an_object_with_the_owners_name_is_not_the_owner(server: Server) -> None:
    owner = server.create("configmaps", {"metadata": {"name": "owner"}})
    server.delete("configmaps", "owner")
    server.create("configmaps", {"metadata": {"name": "owner"}})

    server.create("pods", owned("a", [owner_of(owner)], **GATED))

    assert server.gone("pods", "a")


def test_one_controller_at_most_is_allowed(server: Server) -> None:
    owners = [owner_of(server.create("configmaps", {"metadata": {"name": name}}), controller=True) for name in "ab"]

    refused = refusal(server.create, "pods", owned("p", owners, **GATED))

    assert (refused.status, refused.reason) == (422, "Invalid")
    assert "Only one reference can have Controller set to true" in refused.body["message"]


def test_an_evicted_pod_says_so_while_it_goes(server: Server) -> None:
    server.bound("a")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
    path = server.path("pods", "a", "eviction")

    missing = refusal(server.api.create, server.path("pods", "b", "eviction"), {**body, "metadata": {"name": "b"}})
    answer = server.api.create(path, body)

    assert missing.status == 404
    assert (answer["status"], answer["code"]) == ("Success", 201)
    found = server.find("pods", "a")
    assert found is not None
    assert found["metadata"]["deletionGracePeriodSeconds"] == 20
    [sign] = [one for one in found["status"]["conditions"] if one["type"] == "DisruptionTarget"]
    assert (sign["status"], sign["reason"], sign["message"]) == (
        "True",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
    )


def test_a_binding_is_refused_for_a_gated_and_for_a_bound_pod(server: Server) -> None:
    server.pod("a", **GATED)
    server.bound("b")

    def bind(name: str) -> Document:
        body = {"metadata": {"name": name}, "target": {"kind": "Node", "name": "x"}}
        return server.api.create(server.path("pods", name, "binding"), body)

    gated, bound = refusal(bind, "a"), refusal(bind, "b")

    where = f'"{server.namespace}-nowhere"'
    assert (gated.status, bound.status) == (409, 409)
    assert str(gated).endswith('on pods/binding "a": pod a has non-empty .spec.schedulingGates')
    assert str(bound).endswith(f'on pods/binding "b": pod b is already assigned to node {where}')


def test_a_collection_is_deleted_by_its_labels(server: Server) -> None:
    for name, label in (("a", "1"), ("b", "1"), ("c", "2")):
        server.create("configmaps", {"metadata": {"name": name, "labels": {"x": label}}})

    answer = server.api.call("DELETE", server.path("configmaps"), query={"labelSelector": "x=1"})

    assert answer["kind"] == "ConfigMapList"
    assert [server.find("configmaps", name) is None for name in "abc"] == [True, True, False]


def test_a_namespace_takes_its_content_with_it(server: Server) -> None:
    name = f"{server.namespace}-ending"
    server.create("namespaces", {"metadata": {"name": name}})
    pods, maps = path_of("pods", namespace=name), path_of("configmaps", namespace=name)
    eventually(lambda: _accepts(server, pods), within_s=SOON_S, what="a namespace that takes pods")
    held = {"metadata": {"name": "held", "finalizers": HELD}}
    server.api.create(maps, held)

    ending = server.delete("namespaces", name)
    late = refusal(server.api.create, maps, {"metadata": {"name": "late"}})
    eventually(lambda: not server.api.get(pods)["items"], within_s=SOON_S, what="the end of the pods")
    server.api.patch(f"{maps}/held", {"metadata": {"finalizers": None}})

    assert ending["status"]["phase"] == "Terminating"
    assert (late.status, late.reason) == (403, "Forbidden")
    assert late.body["message"] == (
        f'configmaps "late" is forbidden: unable to create new content in namespace {name} because it is being '
        "terminated"
    )
    [cause] = late.body["details"]["causes"]
    assert cause["reason"] == "NamespaceTerminating"
    assert server.gone("namespaces", name)


def _accepts(server: Server, pods: str) -> bool:
    """Say whether a pod could be made; the real server has no service account there for a moment."""
    try:
        server.api.create(pods, pod("a", **GATED))
    except Refused:
        return False
    return True


def test_an_ungated_pod_is_bound_to_the_node_that_it_names(server: Server) -> None:
    with server.node({"cpu": "8", "memory": "16Gi", "pods": "10", "nvidia.com/gpu": "4"}) as node:
        device = container(limits={"nvidia.com/gpu": "4"})
        server.pod("a", containers=[device], **GATED)
        ungate = {"schedulingGates": [{"$patch": "delete", **GATE}], "affinity": on_node(node)}
        server.patch("pods", "a", {"spec": ungate})

        assert eventually(lambda: _node_of(server, "a"), within_s=SOON_S, what="the binding") == node
        assert _scheduled(server, "a")["status"] == "True"
        server.pod("b", affinity=on_node(node), containers=[device])
        assert _why(server, "b").startswith("1 Insufficient nvidia.com/gpu")
        server.delete("pods", "a", gracePeriodSeconds=0)
        assert eventually(lambda: _node_of(server, "b"), within_s=SOON_S, what="the room that was left") == node


def test_a_pod_that_fits_nowhere_says_why(server: Server) -> None:
    with server.node({"cpu": "8", "memory": "16Gi", "pods": "10"}) as node:
        server.pod("large", affinity=on_node(node), containers=[container(requests={"cpu": "100"})])
        server.pod("lost", affinity=on_node("no-such-node"))
        server.pod("choosy", nodeSelector={"no-such": "label"})

        assert _why(server, "large") == f"1 Insufficient cpu. {NO_USE.format(n=1)} for scheduling."
        assert _why(server, "lost").startswith("1 node(s) didn't satisfy plugin(s) [NodeAffinity]. ")
        assert _why(server, "choosy").startswith("1 node(s) didn't match Pod's node affinity/selector. ")
        about = {"fieldSelector": "involvedObject.name=large,reason=FailedScheduling"}
        told = eventually(lambda: server.api.get(server.path("events"), **about)["items"], within_s=SOON_S)
        assert {event["type"] for event in told} == {"Warning"}
        assert told[0]["involvedObject"]["name"] == "large"
        assert "Insufficient cpu" in told[0]["message"]


def test_a_cordoned_node_takes_no_pods(server: Server) -> None:
    with server.node({"cpu": "8", "memory": "16Gi", "pods": "10"}) as node:
        server.patch("nodes", node, {"spec": {"unschedulable": True}})
        taint = eventually(lambda: (server.find("nodes", node) or {})["spec"].get("taints"), within_s=SOON_S)
        server.pod("a", affinity=on_node(node))

        assert (taint[0]["key"], taint[0]["effect"]) == ("node.kubernetes.io/unschedulable", "NoSchedule")
        assert _why(server, "a").startswith("1 node(s) were unschedulable. ")
        server.patch("nodes", node, {"spec": {"unschedulable": None}}, kind=MERGE)
        assert eventually(lambda: _node_of(server, "a"), within_s=SOON_S, what="the uncordoned node") == node


def test_a_log_that_cannot_be_there_is_empty_or_refused(server: Server) -> None:
    server.pod("a", **GATED)
    server.bound("b")

    missing = refusal(server.api.get, server.path("pods", "c", "log"))
    other = refusal(server.api.get, f"{server.path('pods', 'b', 'log')}", container="other")

    assert server.api.text(server.path("pods", "a", "log")) == ""
    assert (missing.status, missing.body["message"]) == (404, 'pods "c" not found')
    assert (other.status, other.body["message"]) == (400, "container other is not valid for pod b")


def _node_of(server: Server, name: str) -> str:
    return str((server.find("pods", name) or {}).get("spec", {}).get("nodeName") or "")


def _scheduled(server: Server, name: str) -> Document:
    found = server.find("pods", name) or {"status": {}}
    conditions = found["status"].get("conditions") or []
    return next((one for one in conditions if one["type"] == "PodScheduled"), {})


def _why(server: Server, name: str) -> str:
    """Wait until a pod is found unschedulable, and return the reasons."""
    message = eventually(lambda: _scheduled(server, name).get("message"), within_s=SOON_S, what=f"why {name} waits")
    assert _scheduled(server, name)["reason"] == "Unschedulable"
    return str(message).partition(" nodes are available: ")[2]
