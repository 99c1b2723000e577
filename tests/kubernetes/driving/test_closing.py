"""Closing a cluster, whatever it is in the middle of."""

import time
from threading import enumerate as enumerate_threads

from scheduler.adapters.kubernetes.reflector import Pace
from scheduler.core.model.attempt import WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from tests.builders.cluster import ATTEMPT, order
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, wait_seen
from tests.kubernetes.driving.fake import GANG, are
from tests.kubernetes.fake_api.server import FakeApi

WORKER = WorkerKey(ATTEMPT, 0)
ENOUGH_S = 9.0


def test_closing_ends_every_thread(api: FakeApi, driven: Driven) -> None:
    before = set(enumerate_threads())
    cluster = driven.cluster()
    cluster.start(GANG)
    cluster.logs(WORKER, offset=0, limit=100)

    cluster.close()

    left = [thread.name for thread in set(enumerate_threads()) - before if not thread.name.startswith("Thread-")]
    assert left == []  # those with plain names serve the fake's connections


def test_output_that_was_followed_when_medley_ended_is_not_taken_for_all_there_is(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    first.start(order("wait"))
    wait_seen(first, "it to run", are(WorkerPhase.RUNNING, 1))
    eventually(lambda: first.logs(WORKER, offset=0, limit=100).text, within_s=PATIENCE_S, what="its output")
    api.logs.write(f"{first._configuration.namespace}/{WORKER.name}", b"more\n")
    eventually(lambda: "more" in first.logs(WORKER, offset=0, limit=100).text, within_s=PATIENCE_S, what="a follower")
    first.close()
    api.vanish("pods", WORKER.name)

    second = driven.cluster()

    assert second._logs.collect(WORKER, None)
    assert "[medley] the rest cannot be read" in second.logs(WORKER, offset=0, limit=1000).text


def test_closing_a_cluster_that_does_not_answer_takes_seconds(api: FakeApi, driven: Driven) -> None:
    cluster = driven.cluster()
    cluster.start(GANG)
    api.faults.add(hangs=True, times=1000)
    stuck = driven.unready()
    cluster.stop(ATTEMPT, grace_s=1)
    eventually(lambda: sum(call.method == "DELETE" for call in api.calls()), within_s=PATIENCE_S, what="a stuck call")

    begin_s = time.monotonic()
    stuck.close()
    cluster.close()

    assert time.monotonic() - begin_s < 2 * ENOUGH_S


def test_a_quiet_namespace_makes_no_watch_look_dead(api: FakeApi, driven: Driven) -> None:
    """API servers send no bookmarks for events, so that those watches have to end before their silence counts."""
    driven.cluster()

    def lasts_s() -> list[int]:
        calls = [call for call in api.calls("GET") if call.path.endswith("/events") and "watch" in call.query]
        return [int(call.query["timeoutSeconds"]) for call in calls]

    assert max(eventually(lasts_s, within_s=PATIENCE_S, what="a watch of events")) < Pace().silence_s
