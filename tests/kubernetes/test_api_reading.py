"""Lists, watches and what happens when the history is gone: asked of the fake API server and of the real one."""

import http.client
import json
from contextlib import closing
from itertools import islice

import pytest

from tests.kubernetes.either_server import GATE, Document, Server, events, refusal
from tests.kubernetes.testbed.api import MERGE

GATED = {"schedulingGates": [GATE]}
FAR = "999999999"


def make(server: Server, *names: str) -> None:
    for number, name in enumerate(names):
        body = {"metadata": {"name": name, "labels": {"number": str(number), "all": "yes"}}}
        server.create("configmaps", body)


def names(listed: Document) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


def test_a_list_in_pages_shows_one_moment(server: Server) -> None:
    make(server, "a", "b", "c", "d", "e")
    path, chosen = server.path("configmaps"), {"labelSelector": "all=yes"}

    first = server.api.get(path, limit="2", **chosen)
    server.delete("configmaps", "c")
    make(server, "bb")
    second = server.api.get(path, limit="2", **{"continue": first["metadata"]["continue"]}, **chosen)
    third = server.api.get(path, limit="2", **{"continue": second["metadata"]["continue"]}, **chosen)

    assert [names(page) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert len({page["metadata"]["resourceVersion"] for page in (first, second, third)}) == 1
    assert "continue" not in third["metadata"]
    assert names(server.api.get(path, **chosen)) == ["a", "b", "bb", "d", "e"]


def test_a_page_says_how_much_is_left_unless_something_is_selected(server: Server) -> None:
    for name in "abc":
        server.pod(name, **GATED)
    path = server.path("pods")

    plain = server.api.get(path, limit="1")
    selected = server.api.get(path, limit="1", fieldSelector="status.phase=Pending")

    assert plain["metadata"]["remainingItemCount"] == 2
    assert "remainingItemCount" not in selected["metadata"]
    assert (plain["kind"], plain["apiVersion"]) == ("PodList", "v1")
    assert "kind" not in plain["items"][0]


def test_a_list_of_version_0_knows_no_pages(server: Server) -> None:
    make(server, "a", "b", "c")

    listed = server.api.get(server.path("configmaps"), limit="1", resourceVersion="0", labelSelector="all=yes")

    assert names(listed) == ["a", "b", "c"]
    assert "continue" not in listed["metadata"]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("number=1", ["b"]),
        ("number==1,all=yes", ["b"]),
        ("number in (0, 2)", ["a", "c"]),
        ("number notin (0,2),all", ["b"]),
        ("all,number!=0", ["b", "c"]),
        ("!number,all", []),
        ("all=no", []),
    ],
)
def test_labels_select(server: Server, selector: str, wanted: list[str]) -> None:
    make(server, "a", "b", "c")

    assert names(server.api.get(server.path("configmaps"), labelSelector=selector)) == wanted


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b", "c"]),
        ("spec.nodeName=", ["a", "b"]),
        ("spec.nodeName!=", ["c"]),
        ("status.phase=Running", ["b"]),
        ("status.phase!=Running,metadata.name!=c", ["a"]),
    ],
)
def test_fields_select(server: Server, selector: str, wanted: list[str]) -> None:
    server.pod("a", **GATED)
    server.pod("b", **GATED)
    server.patch("pods", "b", {"status": {"phase": "Running"}}, subresource="status")
    server.bound("c")

    assert names(server.api.get(server.path("pods"), fieldSelector=selector)) == wanted


@pytest.mark.parametrize(
    ("plural", "query", "status", "message"),
    [
        ("pods", {"labelSelector": "!!"}, 400, "unable to parse requirement: found '!', expected: identifier"),
        ("pods", {"fieldSelector": "spec.none=1"}, 400, "field label not supported: spec.none"),
        (
            "configmaps",
            {"fieldSelector": "status.phase=1"},
            400,
            '"status.phase" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("pods", {"limit": "x"}, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("pods", {"continue": "xxxx"}, 400, "invalid continue token: continue key is not valid: "),
        (
            "pods",
            {"resourceVersion": "abc"},
            400,
            'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": inv',
        ),
        (
            "pods",
            {"resourceVersionMatch": "Exact"},
            422,
            (
                'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is '
                "forbidden unless resourceVersion is provided"
            ),
        ),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused(
    server: Server, plural: str, query: dict[str, str], status: int, message: str
) -> None:
    refused = refusal(server.api.get, server.path(plural), **query)

    assert refused.status == status
    assert refused.body["message"].startswith(message)


def test_a_version_that_is_yet_to_come_is_asked_for_again(server: Server) -> None:
    refused = refusal(server.api.get, server.path("pods"), resourceVersion=FAR)

    assert (refused.status, refused.reason) == (504, "Timeout")
    assert refused.body["message"].startswith(f"Timeout: Too large resource version: {FAR}, current: ")
    assert refused.body["details"]["retryAfterSeconds"] == 1
    assert refused.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_only_the_metadata_is_answered_where_only_that_is_wanted(server: Server) -> None:
    server.pod("a", **GATED)
    accept = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"

    listed = _accepting(server, server.path("pods"), accept.format("List"))
    one = _accepting(server, server.path("pods", "a"), accept.format(""))

    assert (listed["kind"], listed["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert names(listed) == ["a"]
    for found in (one, *listed["items"]):
        assert set(found) == {"kind", "apiVersion", "metadata"}
        assert found["kind"] == "PartialObjectMetadata"


def _accepting(server: Server, path: str, accept: str) -> Document:
    with closing(server.api._connect(10)) as connection:
        connection.request("GET", path, headers={"Accept": accept})
        response: http.client.HTTPResponse = connection.getresponse()
        found: Document = json.loads(response.read())
    return found


def test_a_watch_tells_what_came_changed_and_went_since_a_version(server: Server) -> None:
    path = server.path("pods")
    version = server.api.get(path)["metadata"]["resourceVersion"]
    server.pod("a", **GATED)
    server.patch("pods", "a", {"metadata": {"labels": {"x": "1"}}})

    watched = events(server.api, path, {"resourceVersion": version})
    first = list(islice(watched, 2))
    server.delete("pods", "a")
    rest = list(islice(watched, 2))

    assert [verb for verb, _ in first + rest] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
    versions = [int(one["metadata"]["resourceVersion"]) for _, one in first + rest]
    assert versions == sorted(set(versions))
    assert versions[0] > int(version)
    assert {(one["kind"], one["apiVersion"]) for _, one in first + rest} == {("Pod", "v1")}
    assert rest[0][1]["metadata"]["deletionTimestamp"]
    watched.close()  # type: ignore[attr-defined]  # a generator


def test_a_watch_without_version_begins_with_what_is_there(server: Server) -> None:
    make(server, "a", "b")

    queries: list[dict[str, str]] = [{}, {"resourceVersion": "0"}]
    for query in queries:
        watched = events(server.api, server.path("configmaps"), {"labelSelector": "all=yes", **query})
        first = list(islice(watched, 2))
        make_late = server.create("configmaps", {"metadata": {"generateName": "late-", "labels": {"all": "yes"}}})
        verb, late = next(watched)

        assert [(verb, one["metadata"]["name"]) for verb, one in first] == [("ADDED", "a"), ("ADDED", "b")]
        assert (verb, late["metadata"]["name"]) == ("ADDED", make_late["metadata"]["name"])
        server.delete("configmaps", late["metadata"]["name"])


def test_objects_enter_and_leave_a_watch_by_its_selectors(server: Server) -> None:
    server.create("configmaps", {"metadata": {"name": "a", "labels": {"x": "1"}}})
    path = server.path("configmaps")
    version = server.api.get(path)["metadata"]["resourceVersion"]

    watched = events(server.api, path, {"resourceVersion": version, "labelSelector": "x=1"})
    left = server.patch("configmaps", "a", {"metadata": {"labels": {"x": "2"}}})
    server.patch("configmaps", "a", {"metadata": {"labels": {"y": "1"}}})
    back = server.patch("configmaps", "a", {"metadata": {"labels": {"x": "1"}}})
    seen = list(islice(watched, 2))

    assert [verb for verb, _ in seen] == ["DELETED", "ADDED"]
    assert [one["metadata"]["resourceVersion"] for _, one in seen] == [
        left["metadata"]["resourceVersion"],
        back["metadata"]["resourceVersion"],
    ]
    assert seen[0][1]["metadata"]["labels"] == {"x": "1"}


def test_a_watch_by_a_field_sees_a_pod_come_to_its_node(server: Server) -> None:
    node = f"{server.namespace}-nowhere"
    server.pod("a", **GATED)
    watched = events(server.api, server.path("pods"), {"fieldSelector": f"spec.nodeName={node}"})
    server.patch("pods", "a", {"spec": {"schedulingGates": None}}, kind=MERGE)

    body = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": node}}
    server.api.create(server.path("pods", "a", "binding"), body)
    verb, seen = next(watched)

    assert (verb, seen["spec"]["nodeName"]) == ("ADDED", node)


def test_a_watch_ends_by_itself_at_its_time(server: Server) -> None:
    version = server.api.get(server.path("pods"))["metadata"]["resourceVersion"]

    assert list(events(server.api, server.path("pods"), {"resourceVersion": version}, seconds=1)) == []


def test_bookmarks_say_how_far_a_watch_is(server: Server) -> None:
    server.pod("a", **GATED)

    watched = events(server.api, server.path("pods"), {"allowWatchBookmarks": "true", "resourceVersion": "0"})
    (first, _), (second, bookmark) = islice(watched, 2)

    assert (first, second) == ("ADDED", "BOOKMARK")
    assert bookmark["kind"] == "Pod"
    assert int(bookmark["metadata"]["resourceVersion"]) > 0
    assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert bookmark["spec"] == {"containers": None}
    assert "name" not in bookmark["metadata"]


def test_a_watch_that_cannot_be_understood_is_refused(server: Server) -> None:
    refused = refusal(server.api.watch, server.path("pods"), watch="true", resourceVersion="abc")
    selected = refusal(server.api.watch, server.path("pods"), watch="true", fieldSelector="spec.none=1")

    assert refused.status == 500
    assert refused.body["message"].startswith('resourceVersion: Invalid value: "abc"')
    assert selected.status == 400


def test_what_is_older_than_the_history_is_expired(server: Server) -> None:
    make(server, "a", "b", "c")
    path, chosen = server.path("configmaps"), {"labelSelector": "all=yes"}
    page = server.api.get(path, limit="1", **chosen)
    version, token = page["metadata"]["resourceVersion"], page["metadata"]["continue"]
    make(server, "d")

    server.forget_history()
    [(verb, status)] = list(events(server.api, path, {"resourceVersion": version}))
    refused = refusal(server.api.get, path, limit="1", **{"continue": token}, **chosen)
    rest = server.api.get(path, **{"continue": refused.body["metadata"]["continue"]}, **chosen)
    exact = refusal(server.api.get, path, resourceVersion=version, resourceVersionMatch="Exact")

    assert (verb, status["kind"], status["code"], status["reason"]) == ("ERROR", "Status", 410, "Expired")
    assert status["message"].startswith(f"too old resource version: {version} (")
    assert (refused.status, refused.reason) == (410, "Expired")
    assert refused.body["message"].startswith("The provided continue parameter is too old to display a consistent")
    assert names(rest) == ["b", "c", "d"]
    assert (exact.status, exact.body["message"]) == (410, "The resourceVersion for the provided list is too old.")
    assert names(server.api.get(path, **chosen)) == ["a", "b", "c", "d"]
