"""What becomes of jobs while the real API server is killed, paused, or has forgotten its history: nothing."""

from collections.abc import Iterator
from functools import partial

import pytest

from scheduler.adapters.kubernetes import reflector
from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.core.model.group import FailureClass, State, StopReason
from tests.builders.eventually import eventually
from tests.kubernetes.faults.real import Bed
from tests.kubernetes.faults.world import PATIENCE_S, World, bad
from tests.kubernetes.testbed.api import path_of

LONGEST_UNNOTICED_S = 90.0


@pytest.fixture
def mended(bed: Bed) -> Iterator[Bed]:
    """The bed, whose API server is up again at the end, whatever the test did to it."""
    yield bed
    plane = bed.plane
    plane.api_server.resume()
    if plane.api_server.pid is None:
        plane.start_api_server()
    # The other programs tried in vain, and would wait for up to half a minute before they try again.
    for program in (plane.controllers, plane.scheduler, plane.kwok):
        program.kill()
        program.start()


def driver(world: World) -> KubernetesCluster:
    cluster = world.driven()
    assert isinstance(cluster, KubernetesCluster)
    return cluster


def uids(bed: Bed) -> set[str]:
    return {pod["metadata"]["uid"] for pod in bed.pods()}


def is_untouched(world: World, job: str) -> None:
    """Check that a job lives its first life still, and nothing was charged."""
    view = world.job(job)
    assert (view.state, len(view.attempts), view.groups[0].failures) == (State.RUNNING, 1, 0), world.story(job)


def test_a_job_outlives_a_kill_of_the_api_server(world: World, mended: Bed) -> None:
    job = world.submit()
    world.running(job)
    before = uids(mended)
    mended.plane.kill_api_server()
    queued = world.submit(name="while-it-is-down")
    world.wait(queued, "a placement without the API server", lambda view: view.state is State.PLACED)
    assert not world.check()[0].is_ok
    mended.plane.start_api_server()
    world.running(queued)
    is_untouched(world, job)
    is_untouched(world, queued)
    assert before <= uids(mended)
    world.finish(job, queued)


def test_a_job_that_is_cancelled_without_an_api_server_ends_once_there_is_one(world: World, mended: Bed) -> None:
    job = world.submit()
    world.running(job)
    mended.plane.kill_api_server()
    world.cancel(job)
    world.wait(job, "the wish to stop", lambda view: view.state is State.STOPPING)
    assert world.held(), "its devices were given away before its pods were gone"
    mended.plane.start_api_server()
    view = world.finish(job)
    assert (view.state, view.groups[0].failures) == (State.CANCELLED, 0)


def test_a_medley_that_starts_while_the_api_server_is_away_adopts_its_jobs(world: World, mended: Bed) -> None:
    job = world.submit()
    world.running(job)
    before = uids(mended)
    world.close()
    mended.plane.kill_api_server()
    world.start()
    assert not world.check()[0].is_ok
    mended.plane.start_api_server()
    eventually(lambda: not bad(world.check()), within_s=PATIENCE_S, what="the cluster to be driven again")
    is_untouched(world, job)
    assert uids(mended) == before
    world.finish(job)


def test_a_gang_is_started_once_whenever_the_api_server_is_killed(world: World, mended: Bed) -> None:
    job = world.submit(workers=8)
    eventually(mended.ours, within_s=PATIENCE_S, what="the beginning of the start")
    mended.plane.kill_api_server()
    mended.plane.start_api_server()
    world.running(job)
    is_untouched(world, job)
    assert len(mended.pods()) == 8
    world.finish(job)


def test_history_that_was_compacted_under_a_watch_is_listed_anew(world: World, mended: Bed) -> None:
    job = world.submit(retries=0)
    world.running(job)
    pods = driver(world)._watches.pods
    relists = pods.health.relists
    note = {"metadata": {"name": "newer-than-all-pods"}}
    mended.api.create(path_of("configmaps", namespace=mended.namespace), note)
    mended.plane.kill_api_server()  # watches that run are served from its memory
    mended.plane.compact_store()
    mended.plane.start_api_server()
    eventually(lambda: pods.health.relists > relists, within_s=PATIENCE_S, what="a new list")
    eventually(lambda: pods.health.last_error is None, within_s=PATIENCE_S, what="a watch that goes on")
    is_untouched(world, job)
    mended.api.delete(mended.path(mended.pods(rank=1)[0]))
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_an_api_server_that_hangs_is_noticed_and_nothing_is_lost(mended: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = reflector.Pace()
    assert pace.silence_s + pace.first_pause_s < LONGEST_UNNOTICED_S
    monkeypatch.setattr(reflector, "Pace", partial(reflector.Pace, silence_s=3.0))
    world = mended.world()
    job = world.submit()
    world.running(job)
    pods = driver(world)._watches.pods
    mended.plane.api_server.pause()
    queued = world.submit(name="while-it-hangs")
    eventually(lambda: pods.health.last_error, within_s=3 * 3.0, what="the silence to be noticed")
    mended.plane.api_server.resume()
    world.running(queued)
    eventually(lambda: pods.health.last_error is None, within_s=PATIENCE_S, what="a watch that goes on")
    is_untouched(world, job)
    is_untouched(world, queued)
    world.finish(job, queued)
