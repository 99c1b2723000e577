"""What the benchmarks on Kubernetes are built of."""

import json
import os
import subprocess
import sys

import pytest
import urllib3

from bench.kubernetes.children import Child, ChildFailed, processor_s
from bench.kubernetes.documents import lists, node, pod
from bench.kubernetes.plain_watch import PlainWatch
from scheduler.adapters.kubernetes.decoding import node_view, pod_view

SOME_LIMIT_S = 60.0


def test_prepared_objects_are_as_large_as_real_ones_and_can_be_read() -> None:
    ours, other = pod(0, 7, nodes=3), pod(1, 8, nodes=3)
    assert 3_000 < len(json.dumps(ours)) < 8_000
    assert 3_000 < len(json.dumps(node(0, 7))) < 8_000
    assert pod_view(ours).ownership is not None
    assert pod_view(other).ownership is None
    assert pod_view(other).node == "node-00001"
    assert dict(node_view(node(0, 7)).allocatable)["nvidia.com/gpu"] == 8


def test_a_list_in_pages_has_every_object_once_and_says_where_it_goes_on() -> None:
    items = [{"metadata": {"name": str(number)}} for number in range(5)]
    pages = [json.loads(page) for page in lists("PodList", items, 2)]
    assert [one for page in pages for one in page["items"]] == items
    assert [page["metadata"].get("continue") for page in pages] == ["1", "2", None]
    (whole,) = lists("PodList", items, 10)
    assert "continue" not in json.loads(whole)["metadata"]
    (nothing,) = lists("PodList", [], 10)
    assert json.loads(nothing)["items"] == []


def test_a_plain_reader_notes_when_a_pod_was_made_bound_running_ended_and_gone() -> None:
    with urllib3.HTTPConnectionPool("127.0.0.1") as pool:
        watch = PlainWatch(pool, "/api/v1/pods", "")
    ended = watch.expect_end("p")
    steps = [("ADDED", {}, {}), ("MODIFIED", {"nodeName": "n"}, {}), ("MODIFIED", {}, {"phase": "Running"})]
    steps += [("MODIFIED", {}, {"phase": "Succeeded"}), ("DELETED", {}, {"phase": "Succeeded"})]
    for moment, (kind, spec, status) in enumerate(steps, start=1):
        assert ended.is_set() == (moment > 4)
        watch.note(kind, {"metadata": {"name": "p"}, "spec": spec, "status": status}, float(moment))
    seen = watch.sightings["p"]
    assert (seen.made_s, seen.bound_s, seen.running_s, seen.ended_s, seen.gone_s) == (1, 2, 3, 4, 5)
    watch.forget()
    assert watch.sightings == {}


def test_processor_time_counts_what_the_children_of_a_process_used() -> None:
    before_s = processor_s([os.getpid()])
    busy = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-I", "-S", "-c", busy], check=True, timeout=SOME_LIMIT_S)
    assert processor_s([os.getpid()]) - before_s > 0.25


def test_a_child_that_ends_is_an_error_of_whoever_asked() -> None:
    with Child("bench.kubernetes.readers") as child, pytest.raises(ChildFailed):
        child.ask({"no such reader": {}}, within_s=SOME_LIMIT_S)
