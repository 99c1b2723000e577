"""What the API server does with writes, asked of the fake and of the real one: this keeps the fake honest."""

from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.kubernetes.either_server import (
    GATE,
    SOON_S,
    Document,
    Server,
    container,
    on_node,
    pod,
    refusal,
)
from tests.kubernetes.testbed.api import JSON_PATCH, MERGE, Refused, path_of

GATED = {"schedulingGates": [GATE]}
AGAIN = "the object has been modified; please apply your changes to the latest version and try again"
ONLY_DELETION = "Forbidden: only deletion is allowed, but found new scheduling gate"


def test_a_taken_name_is_a_conflict(server: Server) -> None:
    server.pod("a", **GATED)

    refused = refusal(server.pod, "a", **GATED)

    assert (refused.status, refused.reason) == (409, "AlreadyExists")
    assert refused.body["message"] == 'pods "a" already exists'
    assert refused.body["details"] == {"name": "a", "kind": "pods"}


@pytest.mark.parametrize(
    ("plural", "name"), [("pods", "none"), ("configmaps", "none"), ("nodes", "none"), ("namespaces", "none")]
)
def test_what_is_not_there_is_not_found(server: Server, plural: str, name: str) -> None:
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {})):
        refused = refusal(server.api.call, method, server.path(plural, name), body, kind=MERGE)
        assert (refused.status, refused.reason) == (404, "NotFound")
        assert refused.body["message"] == f'{plural} "{name}" not found'


def test_a_namespace_that_is_not_there_is_not_found(server: Server) -> None:
    refused = refusal(server.api.create, path_of("pods", namespace="nowhere"), pod("a"))

    assert (refused.status, refused.body["message"]) == (404, 'namespaces "nowhere" not found')


def test_paths_and_methods_that_are_none_are_refused(server: Server) -> None:
    unknown = refusal(server.api.get, "/api/v1/nothing")
    group = refusal(server.api.get, "/apis/example.com/v1/things")
    named = refusal(server.api.create, server.path("pods", "a"), pod("a"))
    unnamed = refusal(server.api.replace, server.path("pods"), pod("a"))

    assert (unknown.status, unknown.body["message"]) == (404, "the server could not find the requested resource")
    assert (group.status, group.body) == (404, {"text": "404 page not found\n"})
    for refused in (named, unnamed):
        assert (refused.status, refused.reason) == (405, "MethodNotAllowed")


INVALID: dict[str, tuple[Document, str]] = {
    "gates beside a node": (
        pod("a", nodeName="x", **GATED),
        'Pod "a" is invalid: spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ),
    "no containers": (pod("a", containers=[]), 'Pod "a" is invalid: spec.containers: Required value'),
    "no image": (
        pod("a", containers=[{"name": "main"}]),
        'Pod "a" is invalid: spec.containers[0].image: Required value',
    ),
    "a part of a device": (
        pod("a", containers=[container(limits={"nvidia.com/gpu": "1500m"})]),
        (
            'Pod "a" is invalid: [spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "1500m": must be '
            'an integer, spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: "1500m": must be an '
            "integer]"
        ),
    ),
    "a device without limit": (
        pod("a", containers=[container(requests={"nvidia.com/gpu": "1"})]),
        (
            'Pod "a" is invalid: spec.containers[0].resources.limits: Required value: Limit must be set for non '
            "overcommitable resources"
        ),
    ),
    "more than the limit": (
        pod("a", containers=[container(requests={"cpu": "2"}, limits={"cpu": "1"})]),
        (
            'Pod "a" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or '
            "equal to cpu limit of 1"
        ),
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_an_invalid_pod_is_refused_with_all_that_is_wrong(server: Server, case: str) -> None:
    body, message = INVALID[case]

    refused = refusal(server.create, "pods", body)

    assert (refused.status, refused.reason, refused.body["message"]) == (422, "Invalid", message)
    assert refused.body["details"]["kind"] == "Pod"
    assert all(set(cause) == {"reason", "message", "field"} for cause in refused.body["details"]["causes"])


METADATA = {
    "an upper case name": ({"name": "A_b"}, 'metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must'),
    "a long name": ({"name": "n" * 254}, f'metadata.name: Invalid value: "{"n" * 254}": must be no more than 253 char'),
    "no name": ({}, "metadata.name: Required value: name or generateName is required"),
    "a label's key": (
        {"name": "a", "labels": {"a b": "c"}},
        'metadata.labels: Invalid value: "a b": name part must consist of',
    ),
    "a label's value": (
        {"name": "a", "labels": {"a": "b c"}},
        'metadata.labels: Invalid value: "b c": a valid label must be an',
    ),
    "a long label": ({"name": "a", "labels": {"a": "b" * 64}}, f'"{"b" * 64}": must be no more than 63 bytes'),
    "large annotations": (
        {"name": "a", "annotations": {"a": "b" * 262_144}},
        "metadata.annotations: Too long: may not be more than 262144 bytes",
    ),
    "an owner without version": (
        {"name": "a", "ownerReferences": [{"kind": "Pod", "name": "b", "uid": "c"}]},
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
    ),
}


@pytest.mark.parametrize("case", METADATA)
def test_invalid_metadata_is_refused(server: Server, case: str) -> None:
    metadata, message = METADATA[case]

    refused = refusal(server.create, "configmaps", {"metadata": metadata})

    assert (refused.status, refused.reason) == (422, "Invalid")
    assert message in refused.body["message"]


BAD_BODIES: dict[str, tuple[Document, int, str]] = {
    "another kind": (
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}},
        400,
        (
            'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown '
            "conversion"
        ),
    ),
    "another namespace": (
        {"metadata": {"name": "a", "namespace": "other"}, "spec": pod("a")["spec"]},
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    "an absurd quantity": (
        pod("a", containers=[container(limits={"cpu": "much"})]),
        400,
        (
            'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ),
    ),
    "a version of its own": (
        {"metadata": {"name": "a", "resourceVersion": "5"}, "spec": pod("a")["spec"]},
        500,
        "resourceVersion should not be set on objects to be created",
    ),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_that_cannot_be_read_is_refused(server: Server, case: str) -> None:
    body, status, message = BAD_BODIES[case]

    refused = refusal(server.create, "pods", body)

    assert (refused.status, refused.body["message"]) == (status, message)


def test_a_new_pod_gets_its_defaults_and_says_that_it_is_gated(server: Server) -> None:
    made = server.pod("a", containers=[container(limits={"cpu": "1", "nvidia.com/gpu": "2"})], **GATED)

    spec, status = made["spec"], made["status"]
    assert (made["kind"], made["apiVersion"], made["metadata"]["namespace"]) == ("Pod", "v1", server.namespace)
    assert made["metadata"]["uid"]
    assert int(made["metadata"]["resourceVersion"]) > 0
    wanted = {"restartPolicy": "Always", "schedulerName": "default-scheduler", "serviceAccountName": "default"}
    assert wanted.items() <= spec.items()
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "1", "nvidia.com/gpu": "2"}
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert {one["key"] for one in spec["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }
    assert (status["phase"], status["qosClass"]) == ("Pending", "Burstable")
    [condition] = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "SchedulingGated")
    assert condition["message"] == "Scheduling is blocked due to non-empty scheduling gates"


def test_a_name_may_be_made_by_the_server(server: Server) -> None:
    made = server.create("configmaps", {"metadata": {"generateName": "made-"}})

    assert made["metadata"]["name"].startswith("made-")
    assert len(made["metadata"]["name"]) == len("made-") + 5


def test_a_dry_run_stores_nothing(server: Server) -> None:
    body = {"metadata": {"name": "a"}}

    made = server.api.call("POST", server.path("configmaps"), body, query={"dryRun": "All"})

    assert made["metadata"]["uid"]
    assert "resourceVersion" not in made["metadata"]
    assert server.find("configmaps", "a") is None


def test_an_old_version_is_a_conflict(server: Server) -> None:
    first = server.create("configmaps", {"metadata": {"name": "a"}, "data": {"k": "1"}})
    server.patch("configmaps", "a", {"data": {"k": "2"}})

    put = refusal(server.api.replace, server.path("configmaps", "a"), {**first, "data": {"k": "3"}})
    version = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}, "data": {"k": "3"}}
    patch = refusal(server.patch, "configmaps", "a", version, kind=MERGE)

    for refused in (put, patch):
        assert (refused.status, refused.reason) == (409, "Conflict")
        assert refused.body["message"] == f'Operation cannot be fulfilled on configmaps "a": {AGAIN}'


def test_the_newest_version_and_none_at_all_may_be_replaced(server: Server) -> None:
    made = server.create("configmaps", {"metadata": {"name": "a"}, "data": {"k": "1"}})
    path = server.path("configmaps", "a")

    second = server.api.replace(path, {**made, "data": {"k": "2"}})
    third = server.api.replace(path, {"metadata": {"name": "a"}, "data": {"k": "3"}})

    versions = [int(one["metadata"]["resourceVersion"]) for one in (made, second, third)]
    assert versions == sorted(set(versions))
    assert {one["metadata"]["uid"] for one in (made, second, third)} == {made["metadata"]["uid"]}
    assert third["data"] == {"k": "3"}
    wrong = refusal(server.api.replace, path, {"metadata": {"name": "b"}})
    assert wrong.body["message"] == "the name of the object (b) does not match the name on the URL (a)"


def test_a_change_that_changes_nothing_keeps_the_version(server: Server) -> None:
    made = server.create("configmaps", {"metadata": {"name": "a"}, "data": {"k": "1"}})

    same = server.patch("configmaps", "a", {"data": {"k": "1"}})

    assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_the_uid_is_immutable(server: Server) -> None:
    server.create("configmaps", {"metadata": {"name": "a"}})

    refused = refusal(server.patch, "configmaps", "a", {"metadata": {"uid": "1"}})

    assert (refused.status, refused.reason) == (422, "Invalid")
    assert 'metadata.uid: Invalid value: "1": field is immutable' in refused.body["message"]


def test_each_kind_of_patch_changes_what_it_says(server: Server) -> None:
    server.create("configmaps", {"metadata": {"name": "a", "labels": {"x": "1", "y": "2"}}, "data": {"k": "1"}})

    merged = server.patch("configmaps", "a", {"metadata": {"labels": {"x": None, "z": "3"}}}, kind=MERGE)
    operations = [{"op": "test", "path": "/data/k", "value": "1"}, {"op": "replace", "path": "/data/k", "value": "2"}]
    changed = server.patch("configmaps", "a", operations, kind=JSON_PATCH)
    failed = refusal(server.patch, "configmaps", "a", operations, kind=JSON_PATCH)
    missing = refusal(server.patch, "configmaps", "a", [{"op": "remove", "path": "/data/none"}], kind=JSON_PATCH)

    assert merged["metadata"]["labels"] == {"y": "2", "z": "3"}
    assert changed["data"] == {"k": "2"}
    for refused in (failed, missing):
        assert (refused.status, refused.reason) == (422, "Invalid")
        assert refused.body["message"] == "the server rejected our request due to an error in our request"


def test_a_patch_of_no_known_kind_is_refused(server: Server) -> None:
    server.create("configmaps", {"metadata": {"name": "a"}})

    plain = refusal(server.patch, "configmaps", "a", {}, kind="application/json")
    listed = refusal(server.patch, "configmaps", "a", [], kind=MERGE)

    assert (plain.status, plain.body["message"]) == (415, "415: Unsupported Media Type")
    assert listed.status == 400
    assert listed.body["message"].startswith("error decoding patch: json: cannot unmarshal array into Go value")


def test_gates_may_go_but_not_come(server: Server) -> None:
    server.pod("a", schedulingGates=[GATE, {"name": "other"}])

    new = refusal(server.patch, "pods", "a", {"spec": {"schedulingGates": [{"name": "third"}]}})
    left = server.patch("pods", "a", {"spec": {"schedulingGates": [{"$patch": "delete", **GATE}]}})
    again = refusal(server.patch, "pods", "a", {"spec": {"schedulingGates": [GATE]}})
    free = server.patch("pods", "a", {"spec": {"schedulingGates": None}}, kind=MERGE)

    for refused, name in ((new, "third"), (again, GATE["name"])):
        assert (refused.status, refused.reason) == (422, "Invalid")
        assert refused.body["message"] == (
            f"Pod \"a\" is invalid: spec.schedulingGates[0].name: {ONLY_DELETION} '{name}'"
        )
    assert left["spec"]["schedulingGates"] == [{"name": "other"}]
    assert "schedulingGates" not in free["spec"]


def test_the_node_is_chosen_with_the_gate_and_never_after(server: Server) -> None:
    gone = [{"$patch": "delete", **GATE}]
    server.pod("a", **GATED)
    server.pod("b", **GATED)
    server.patch("pods", "b", {"spec": {"affinity": on_node("x")}})

    free = server.patch("pods", "a", {"spec": {"affinity": on_node("x"), "schedulingGates": gone}})
    late = refusal(server.patch, "pods", "a", {"spec": {"affinity": on_node("y")}})
    other = refusal(server.patch, "pods", "b", {"spec": {"affinity": on_node("y")}})

    assert free["spec"]["affinity"] == on_node("x")
    assert "schedulingGates" not in free["spec"]
    assert (late.status, other.status) == (422, 422)
    assert "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`" in str(late)
    assert "only additions are allowed (no mutations or deletions)" in str(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nodeName": "x"}, "spec: Forbidden: pod updates may not change fields other than"),
        ({"priority": 7}, "spec: Forbidden: pod updates may not change fields other than"),
        ({"containers": [{"name": "more", "image": "x"}]}, "spec.containers: Forbidden: pod updates may not add or"),
    ],
)
def test_what_a_pod_is_may_not_be_changed(server: Server, change: Document, message: str) -> None:
    server.pod("a", **GATED)

    refused = refusal(server.patch, "pods", "a", {"spec": change})

    assert (refused.status, refused.reason) == (422, "Invalid")
    assert message in refused.body["message"]


def test_the_status_is_changed_by_its_own_path_only(server: Server) -> None:
    server.pod("a", **GATED)

    ignored = server.patch("pods", "a", {"metadata": {"labels": {"x": "1"}}, "status": {"phase": "Running"}})
    changed = server.patch(
        "pods", "a", {"spec": {"nodeName": "x"}, "status": {"phase": "Running"}}, kind=MERGE, subresource="status"
    )

    assert ignored["status"]["phase"] == "Pending"
    assert changed["status"]["phase"] == "Running"
    assert "nodeName" not in changed["spec"]


def test_conditions_are_patched_one_by_one(server: Server) -> None:
    server.pod("a", **GATED)

    ready: dict[str, Any] = {"type": "Ready", "status": "True"}
    changed = server.patch("pods", "a", {"status": {"conditions": [ready]}}, subresource="status")

    assert [one["type"] for one in changed["status"]["conditions"]] == ["Ready", "PodScheduled"]


def test_a_secret_is_stored_encoded_and_a_map_takes_text_only(server: Server) -> None:
    secret = server.create("secrets", {"metadata": {"name": "a"}, "stringData": {"token": "abc"}})
    number = refusal(server.create, "configmaps", {"metadata": {"name": "a"}, "data": {"k": 1}})
    large = refusal(server.create, "configmaps", {"metadata": {"name": "a"}, "data": {"k": "x" * 1_100_000}})
    huge = refusal(server.create, "configmaps", {"metadata": {"name": "a"}, "data": {"k": "x" * 3_200_000}})

    assert (secret["data"], secret["type"]) == ({"token": "YWJj"}, "Opaque")
    assert "stringData" not in secret
    assert (number.status, number.body["message"]) == (
        400,
        (
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct '
            "field ConfigMap.data of type string"
        ),
    )
    assert (large.status, large.body["message"]) == (
        422,
        'ConfigMap "a" is invalid: []: Too long: may not be more than 1048576 bytes',
    )
    assert (huge.status, huge.body["message"]) == (413, "Request entity too large: limit is 3145728")


def test_an_immutable_map_stays_as_it_is(server: Server) -> None:
    server.create("configmaps", {"metadata": {"name": "a"}, "data": {"k": "1"}, "immutable": True})

    refused = refusal(server.patch, "configmaps", "a", {"data": {"k": "2"}})
    labelled = server.patch("configmaps", "a", {"metadata": {"labels": {"x": "1"}}})

    assert refused.body["message"] == (
        'ConfigMap "a" is invalid: data: Forbidden: field is immutable when `immutable` is set'
    )
    assert labelled["metadata"]["labels"] == {"x": "1"}


def test_an_exceeded_quota_refuses_a_pod_until_there_is_room(server: Server) -> None:
    hard = {"pods": "2", "requests.cpu": "1500m", "requests.nvidia.com/gpu": "3"}
    server.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})
    eventually(lambda: server.api.get(server.path("resourcequotas", "q"))["status"].get("hard"), within_s=SOON_S)

    def one(name: str, cpu: str, devices: str) -> Document:
        return pod(name, containers=[container(limits={"cpu": cpu, "nvidia.com/gpu": devices})], **GATED)

    silent = refusal(server.pod, "a", **GATED)
    server.create("pods", one("a", "500m", "1"))
    over = refusal(server.create, "pods", one("b", "1500m", "9"))
    server.create("pods", one("b", "500m", "1"))
    third = refusal(server.create, "pods", one("c", "100m", "1"))
    used = {"pods": "2", "requests.cpu": "1", "requests.nvidia.com/gpu": "2"}
    quota = server.path("resourcequotas", "q")
    eventually(lambda: server.api.get(quota)["status"]["used"] == used, within_s=SOON_S, what="the quota's count")
    server.delete("pods", "b")

    assert silent.body["message"] == 'pods "a" is forbidden: failed quota: q: must specify requests.cpu for: main'
    assert (over.status, over.reason, over.body["details"]) == (403, "Forbidden", {"name": "b", "kind": "pods"})
    assert over.body["message"] == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=1500m,requests.nvidia.com/gpu=9, '
        "used: requests.cpu=500m,requests.nvidia.com/gpu=1, limited: requests.cpu=1500m,requests.nvidia.com/gpu=3"
    )
    assert third.body["message"] == (
        'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
    )
    made = eventually(lambda: _made(server, one("c", "100m", "1")), within_s=SOON_S, what="room in the quota")
    assert made["metadata"]["name"] == "c"


def _made(server: Server, body: Document) -> Document | None:
    try:
        return server.create("pods", body)
    except Refused:
        return None


def test_who_may_nothing_is_told_what_is_missing(server: Server) -> None:
    pods, review = server.path("pods"), "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    asked = {"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": server.namespace}}
    body = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": asked}

    with server.powerless() as api:
        listed = refusal(api.get, pods)
        nodes = refusal(api.get, "/api/v1/nodes")
        log = refusal(api.get, server.path("pods", "a", "log"))
        denied = api.create(review, body)
    allowed = server.api.create(review, body)

    where = f'in API group "" in the namespace "{server.namespace}"'
    user = 'User "medley-tester" cannot'
    assert (listed.status, listed.reason, listed.body["details"]) == (403, "Forbidden", {"kind": "pods"})
    assert listed.body["message"] == f'pods is forbidden: {user} list resource "pods" {where}'
    assert nodes.body["message"] == (
        f'nodes is forbidden: {user} list resource "nodes" in API group "" at the cluster scope'
    )
    assert log.body["message"] == f'pods "a" is forbidden: {user} get resource "pods/log" {where}'
    assert (denied["status"]["allowed"], allowed["status"]["allowed"]) == (False, True)
    assert denied["spec"] == asked


def test_it_says_who_it_is_and_that_it_is_ready(server: Server) -> None:
    assert server.api.get("/version")["gitVersion"] == "v1.36.3"
    assert server.api.text("/readyz") == "ok"
