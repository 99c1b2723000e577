"""What becomes of jobs when watches break in ways that a real server does not show on request, and under overload."""

from functools import partial

import pytest

from scheduler.adapters.kubernetes import reflector
from scheduler.core.model.group import FailureClass, State, StopReason
from scheduler.services import start_gangs
from tests.builders.eventually import eventually
from tests.kubernetes.fake_api.watching import Trouble
from tests.kubernetes.faults.simulated import Simulated
from tests.kubernetes.faults.world import PATIENCE_S

SILENCE_S = 2.0
STORM = 60
SHORT = {"RUNS_S": "0.5"}


def test_a_half_open_watch_is_found_and_the_end_of_a_job_with_it(
    fake: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reflector, "Pace", partial(reflector.Pace, silence_s=SILENCE_S))
    world = fake.start()
    job = world.submit()
    attempt = world.running(job)
    assert fake.api.trouble(Trouble.FREEZE, "pods")
    for rank in range(2):
        fake.api.end_pod(f"{attempt.id}-r{rank}")
    view = world.wait(job, "its end, which no watch told", lambda view: view.state is State.SUCCEEDED)
    assert view.groups[0].failures == 0
    world.leaves_nothing()


@pytest.mark.parametrize("trouble", [Trouble.CUT, Trouble.END, Trouble.EXPIRE, b"no event\n"])
def test_what_happened_while_a_watch_was_broken_is_seen(fake: Simulated, trouble: Trouble | bytes) -> None:
    world = fake.start()
    job = world.submit(retries=0)
    attempt = world.running(job)
    with fake.api.store.lock:
        assert fake.api.trouble(trouble, "pods")
        fake.api.vanish("pods", f"{attempt.id}-r1")
        fake.api.compact()
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_a_pod_that_vanishes_while_the_server_is_away_and_forgets_is_missed(fake: Simulated) -> None:
    world = fake.start()
    job = world.submit(retries=0)
    attempt = world.running(job)
    fake.api.stop()
    fake.api.vanish("pods", f"{attempt.id}-r1")
    fake.api.compact()
    fake.api.start()
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0, attempts=2)


def test_a_storm_of_429_delays_a_gang_and_costs_nothing(fake: Simulated) -> None:
    world = fake.start()
    storm = fake.api.faults.answer(429, retry_after_s=1, times=STORM, path="/namespaces/")
    job = world.submit(workers=8, retries=0, environment=SHORT)
    eventually(lambda: storm.hits > 0, within_s=PATIENCE_S, what="the storm")
    refused = storm.hits
    eventually(lambda: storm.hits > refused, within_s=PATIENCE_S, what="another try")
    assert storm.hits < STORM, "Medley hammers a server that asked for patience"
    fake.api.faults.clear()
    view = world.wait(job, "its end", lambda view: view.state is State.SUCCEEDED)
    assert (len(view.attempts), view.groups[0].failures) == (1, 0)
    world.leaves_nothing()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts that were not answered are tried again at once."""
    monkeypatch.setattr(start_gangs, "back_off_s", lambda _: 0.05)


@pytest.mark.usefixtures("impatient")
def test_answers_that_fail_for_a_while_cost_nothing(fake: Simulated) -> None:
    world = fake.start()
    failing = [fake.api.faults.answer(code, path="/namespaces/") for code in (500, 503, 504)]
    job = world.submit(workers=4, retries=0, environment=SHORT)
    view = world.wait(job, "its end", lambda view: view.state is State.SUCCEEDED)
    assert [fault.hits for fault in failing] == [1, 1, 1]
    assert (len(view.attempts), view.groups[0].failures) == (1, 0)
    world.leaves_nothing()


@pytest.mark.usefixtures("impatient")
def test_answers_that_are_lost_after_the_deed_make_nothing_twice(fake: Simulated) -> None:
    world = fake.start()
    writes = [("POST", "/configmaps"), ("POST", "/pods"), ("PATCH", "/pods"), ("DELETE", "/pods"), ("DELETE", "/conf")]
    lost = [fake.api.faults.add(method=method, path=path, drops=True, is_done_first=True) for method, path in writes]
    job = world.submit(workers=4, retries=0, environment=SHORT)
    view = world.wait(job, "its end", lambda view: view.state is State.SUCCEEDED)
    assert (len(view.attempts), view.groups[0].failures) == (1, 0)
    world.leaves_nothing()
    assert [fault.hits for fault in lost] == [1] * len(writes)
