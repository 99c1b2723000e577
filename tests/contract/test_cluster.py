"""What every cluster promises, asked of each that ships; what a cluster does not claim is not asked of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Any

import pytest

from scheduler.adapters.kubernetes import cluster as kubernetes
from scheduler.adapters.local import cluster as local
from scheduler.adapters.memory import cluster as memory
from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.core.model.job import Alternative, ReferenceTraining, WorkerRole
from scheduler.ports.cluster import Claims, StartFailed, StartRefusal
from tests.builders.cluster import (
    ATTEMPT,
    PATIENCE_S,
    Bench,
    counted,
    fake_bench,
    local_bench,
    node,
    order,
    with_launcher,
    with_limits,
    with_shares,
)

OTHER = "0a1b2c3d4e5f6g7h-g0-a2"


@dataclass(frozen=True)
class Kind:
    """One kind of cluster: what it claims, and how to build one for a test out of that test's fixtures."""

    claims: Claims
    build: Callable[[pytest.FixtureRequest], Bench]


def build_local(request: pytest.FixtureRequest) -> Bench:
    return local_bench(request.getfixturevalue("tmp_path"))


KINDS = {
    "local": Kind(local.CLAIMS, build_local),
    "memory": Kind(memory.CLAIMS, lambda _request: fake_bench()),
    "kubernetes": Kind(kubernetes.CLAIMS, lambda request: request.getfixturevalue("on_kubernetes")),
}


def claiming(claim: str, *, value: bool = True) -> pytest.MarkDecorator:
    """Ask a test of the clusters that claim something, or of those that do not."""
    return pytest.mark.parametrize(
        "kind", [name for name, kind in KINDS.items() if getattr(kind.claims, claim) is value]
    )


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Name the cluster under test."""
    return str(request.param)


@pytest.fixture
def bench(kind: str, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Build the cluster, and leave nothing of it."""
    bench = KINDS[kind].build(request)
    yield bench
    bench.clear()


def test_it_says_what_it_is_and_can_do(bench: Bench, kind: str) -> None:
    assert bench.cluster.name == "test"
    assert bench.cluster.claims == KINDS[kind].claims
    assert bench.cluster.claims.starts_at_once >= 1
    inventory = [(seen.id, seen.devices, seen.state) for seen in bench.cluster.inventory()]
    assert inventory == [(node().id, node().devices, node().state)]


def test_every_worker_of_a_started_gang_runs(bench: Bench) -> None:
    first = order("wait", workers=3)
    given = replace(first, generation=7, allocations=tuple(replace(one, since=7) for one in first.allocations))

    bench.cluster.start(given)

    assert [worker.key.rank for worker in bench.seen()] == [0, 1, 2], "all of them exist when it returns"
    seen = bench.running()
    assert [worker.key for worker in seen] == [WorkerKey(ATTEMPT, rank) for rank in range(3)]
    assert {worker.generation for worker in seen} == {7}
    assert {worker.record.phase for worker in seen} == {WorkerPhase.RUNNING}
    assert all(worker.record.started_at and worker.record.started_at.tzinfo for worker in seen)
    assert {(worker.record.ended_at, worker.record.exit_code, worker.record.end) for worker in seen} == {
        (None, None, None)
    }


def test_a_running_worker_is_not_started_again(bench: Bench) -> None:
    bench.cluster.start(order("print", "hello", "wait", workers=2))
    bench.printed("hello")
    want_workers = bench.running()

    bench.cluster.start(order("print", "hello", "wait", workers=2))

    assert bench.seen() == want_workers
    assert bench.printed("hello") == "hello\n"


def test_an_ended_worker_is_not_started_again(bench: Bench) -> None:
    bench.cluster.start(order("print", "hello", "exit", "0"))
    want_workers = bench.ended()

    bench.cluster.start(order("print", "hello", "exit", "0"))

    assert bench.seen() == want_workers
    assert bench.printed("hello") == "hello\n"


def test_two_starts_at_once_make_one_gang(bench: Bench) -> None:
    starts = [Thread(target=bench.cluster.start, args=(order("print", "hello", "wait", workers=2),)) for _ in "ab"]
    for start in starts:
        start.start()
    for start in starts:
        start.join(PATIENCE_S)

    assert len(bench.running()) == 2
    assert bench.printed("hello", WorkerKey(ATTEMPT, 1)) == "hello\n"
    bench.cluster.stop(ATTEMPT, grace_s=0)
    bench.ended()
    assert bench.printed("hello", WorkerKey(ATTEMPT, 1)) == "hello\n"


@pytest.mark.parametrize("want_code", [0, 3])
def test_a_worker_that_ends_is_reported_with_its_exit_code(bench: Bench, want_code: int) -> None:
    bench.cluster.start(order("exit", str(want_code)))

    record = bench.ended()[0].record

    assert (record.phase, record.end, record.exit_code) == (WorkerPhase.EXITED, WorkerEnd.EXITED, want_code)
    assert record.started_at is not None
    assert record.ended_at is not None
    assert record.started_at <= record.ended_at


def test_a_stopped_gang_ends_and_says_why(bench: Bench) -> None:
    bench.cluster.start(order("print", "ready", "wait", workers=2))
    for rank in range(2):
        bench.printed("ready", WorkerKey(ATTEMPT, rank))

    bench.cluster.stop(ATTEMPT, grace_s=60)

    records = [worker.record for worker in bench.ended()]
    assert [(record.phase, record.end, record.exit_code) for record in records] == [
        (WorkerPhase.EXITED, WorkerEnd.STOPPED, -15)
    ] * 2


def test_a_worker_that_does_not_listen_is_killed_after_the_grace(bench: Bench) -> None:
    bench.cluster.start(order("stubborn", "wait"))
    bench.printed("stubborn")

    bench.cluster.stop(ATTEMPT, grace_s=1)

    assert bench.seen()[0].record.phase is WorkerPhase.RUNNING
    record = bench.ended()[0].record
    assert (record.phase, record.end, record.exit_code) == (WorkerPhase.EXITED, WorkerEnd.STOPPED, -9)


def test_a_later_stop_can_only_shorten_the_grace(bench: Bench) -> None:
    bench.cluster.start(order("stubborn", "wait"))
    bench.printed("stubborn")

    bench.cluster.stop(ATTEMPT, grace_s=600)
    bench.cluster.stop(ATTEMPT, grace_s=0)
    bench.cluster.stop(ATTEMPT, grace_s=600)

    assert bench.ended()[0].record.end is WorkerEnd.STOPPED


def test_stopping_an_ended_worker_changes_nothing(bench: Bench) -> None:
    bench.cluster.start(order("exit", "3"))
    want_workers = bench.ended()

    bench.cluster.stop(ATTEMPT, grace_s=0)

    assert bench.seen() == want_workers


def test_stopping_one_attempt_leaves_the_other(bench: Bench) -> None:
    bench.cluster.start(order("wait"))
    bench.cluster.start(order("wait", attempt=OTHER))

    bench.cluster.stop(OTHER, grace_s=0)

    assert bench.ended(OTHER)[0].record.end is WorkerEnd.STOPPED
    assert len(bench.running()) == 1


def test_an_attempt_that_was_stopped_before_it_started_never_starts(bench: Bench) -> None:
    bench.cluster.stop(ATTEMPT, grace_s=10)
    assert bench.seen() == []

    with pytest.raises(StartFailed, match="asked to stop") as refused:
        bench.cluster.start(order("wait"))

    assert refused.value.refusal is StartRefusal.STOPPED
    assert bench.seen() == []


def test_a_stopped_gang_is_not_started_again(bench: Bench) -> None:
    bench.cluster.start(order("wait"))
    bench.cluster.stop(ATTEMPT, grace_s=0)
    want_workers = bench.ended()

    bench.cluster.start(order("wait"))

    assert bench.seen() == want_workers


def test_a_forgotten_attempt_is_not_seen_but_can_be_read(bench: Bench) -> None:
    bench.cluster.start(order("print", "hello", "exit", "0"))
    bench.ended()

    bench.cluster.forget(ATTEMPT)

    assert bench.seen() == []
    assert bench.printed("hello") == "hello\n"


def test_a_forgotten_attempt_is_not_started_again(bench: Bench) -> None:
    bench.cluster.start(order("exit", "0"))
    bench.ended()
    bench.cluster.forget(ATTEMPT)

    bench.cluster.start(order("wait"))

    assert bench.seen() == []


def test_an_attempt_that_runs_cannot_be_forgotten(bench: Bench) -> None:
    bench.cluster.start(order("wait"))

    bench.cluster.forget(ATTEMPT)

    assert len(bench.running()) == 1


def test_forgetting_twice_or_the_unknown_has_no_effect(bench: Bench) -> None:
    bench.cluster.start(order("exit", "0"))
    bench.ended()

    for attempt in (OTHER, ATTEMPT, ATTEMPT):
        bench.cluster.forget(attempt)

    assert bench.cluster.observe() == []


@claiming("keeps_logs")
def test_output_is_read_piece_by_piece_to_its_end(bench: Bench) -> None:
    bench.cluster.start(order("print", "first", "print", "second", "exit", "0"))
    bench.ended()
    key = WorkerKey(ATTEMPT, 0)

    first = bench.cluster.logs(key, offset=0, limit=6)
    second = bench.cluster.logs(key, offset=first.end, limit=65536)
    third = bench.cluster.logs(key, offset=second.end, limit=65536)

    assert (first.text, first.start, first.end, first.is_complete) == ("first\n", 0, 6, False)
    assert (second.text, second.start, second.end, second.is_complete) == ("second\n", 6, 13, True)
    assert (third.text, third.start, third.end, third.is_complete) == ("", 13, 13, True)


@claiming("keeps_logs")
def test_output_of_a_running_worker_is_not_complete(bench: Bench) -> None:
    bench.cluster.start(order("print", "hello", "wait"))
    bench.printed("hello")

    chunk = bench.cluster.logs(WorkerKey(ATTEMPT, 0), offset=0, limit=65536)

    assert (chunk.text, chunk.is_complete) == ("hello\n", False)


@claiming("keeps_logs")
def test_a_character_is_not_cut_in_two(bench: Bench) -> None:
    bench.cluster.start(order("print", "aé€", "exit", "0"))
    bench.ended()
    key = WorkerKey(ATTEMPT, 0)

    first = bench.cluster.logs(key, offset=0, limit=5)
    second = bench.cluster.logs(key, offset=first.end, limit=5)

    assert [first.text, second.text] == ["aé", "€\n"]


@claiming("keeps_logs")
def test_output_of_an_unknown_worker_is_empty_and_not_complete(bench: Bench) -> None:
    chunk = bench.cluster.logs(WorkerKey(ATTEMPT, 0), offset=0, limit=10)

    assert (chunk.text, chunk.is_complete) == ("", False)


@claiming("enforces_time_limit")
def test_a_worker_is_ended_at_its_time_limit(bench: Bench) -> None:
    bench.cluster.start(with_limits(order("wait"), time_limit_s=1, grace_s=60))

    record = bench.ended()[0].record

    assert (record.end, record.exit_code) == (WorkerEnd.TIME_LIMIT, -15)
    assert record.started_at is not None
    assert record.ended_at is not None
    assert (record.ended_at - record.started_at).total_seconds() >= 1


@claiming("enforces_time_limit")
def test_a_worker_that_does_not_listen_at_its_time_limit_is_killed(bench: Bench) -> None:
    bench.cluster.start(with_limits(order("stubborn", "wait"), time_limit_s=1, grace_s=1))

    record = bench.ended()[0].record

    assert (record.end, record.exit_code) == (WorkerEnd.TIME_LIMIT, -9)


@claiming("enforces_memory")
def test_a_worker_that_takes_too_much_memory_is_killed(bench: Bench) -> None:
    bench.cluster.start(order("hold", "128", "wait", memory_mib=64))

    record = bench.ended()[0].record

    assert (record.end, record.exit_code) == (WorkerEnd.MEMORY_LIMIT, -9)


def test_listeners_hear_of_an_end_until_they_leave(bench: Bench) -> None:
    heard, left = Event(), Event()
    bench.cluster.listen(heard.set)
    leave = bench.cluster.listen(left.set)
    leave()

    bench.cluster.start(order("exit", "0"))
    bench.ended()

    assert heard.wait(PATIENCE_S)
    assert not left.is_set()


def test_listeners_come_and_go_while_ends_are_told(bench: Bench) -> None:
    attempts = [f"0a1b2c3d4e5f6g7h-g0-a{number}" for number in range(3, 9)]
    over = Event()

    def come_and_go() -> None:
        while not over.is_set():
            bench.cluster.listen(lambda: None)()

    visitors = [Thread(target=come_and_go) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    heard = Event()
    bench.cluster.listen(heard.set)
    for attempt in attempts:
        bench.cluster.start(order("exit", "0", attempt=attempt))

    for attempt in attempts:
        assert bench.ended(attempt)[0].record.exit_code == 0

    over.set()
    for visitor in visitors:
        visitor.join(PATIENCE_S)
    assert heard.wait(PATIENCE_S)


def test_closing_twice_is_fine_and_leaves_workers_alone(bench: Bench) -> None:
    bench.cluster.start(order("wait"))

    bench.running()

    bench.cluster.close()
    bench.cluster.close()

    assert bench.seen()[0].record.phase is WorkerPhase.RUNNING


@claiming("runs_images", value=False)
@pytest.mark.parametrize(
    ("asked", "want"),
    [
        ({"image": "example/train:1"}, "the image example/train:1"),
        ({"volumes": (Volume("datasets", "/data", is_read_only=True),)}, "volumes"),
        ({"secrets": (SecretVariable("TOKEN", "hub", "token"),)}, "secrets"),
    ],
)
def test_it_objects_to_what_it_cannot_give(bench: Bench, asked: dict[str, Any], want: str) -> None:
    job = order("wait").job

    objection = bench.cluster.objection(replace(job, spec=replace(job.spec, **asked)))

    assert objection is not None
    assert "test" in objection
    assert want in objection


def test_every_role_of_a_gang_runs_its_own_program_or_the_jobs(bench: Bench) -> None:
    bench.cluster.start(with_launcher(order("print", "worker", "wait", workers=2), "print", "launcher", "exit", "3"))
    bench.cluster.start(with_launcher(order("print", "both", "wait", attempt=OTHER)))

    assert bench.printed("worker", WorkerKey(ATTEMPT, 1)) == "worker\n"
    assert bench.printed("launcher", WorkerKey(ATTEMPT, 2)) == "launcher\n"
    assert bench.printed("both", WorkerKey(OTHER, 1)) == "both\n"
    bench.cluster.stop(ATTEMPT, grace_s=0)
    assert bench.ended()[2].record.exit_code == 3


@claiming("enforces_shares")
def test_workers_with_a_share_of_a_device_run(bench: Bench) -> None:
    given = with_shares(order("wait", workers=2), share_milli=250, share_memory_mib=8192)

    assert bench.cluster.objection(given.job) is None
    bench.cluster.start(given)

    assert len(bench.running()) == 2


@claiming("enforces_shares", value=False)
def test_it_objects_to_jobs_that_cannot_do_without_a_share(bench: Bench) -> None:
    whole = order("wait").job
    share = with_shares(order("wait"), share_milli=250, share_memory_mib=8192).job.spec.shape
    other = replace(whole.spec, alternatives=(Alternative(1, share, ("h100-sxm",)),))
    role = replace(whole.spec, roles=(WorkerRole("driver", 1, share, ("h100-sxm",)),))

    said = [bench.cluster.objection(replace(whole, spec=spec)) for spec in (replace(whole.spec, shape=share), role)]

    assert all(text is not None and "test" in text and "whole devices" in text for text in said), said
    assert bench.cluster.objection(replace(whole, spec=other)) is None, "without the alternative it can run"


@claiming("binds_devices", value=False)
def test_workers_run_on_devices_that_are_only_counted(bench: Bench) -> None:
    bench.cluster.start(counted(order("wait", workers=2)))

    assert len(bench.running()) == 2


def test_it_objects_to_a_role_that_trains_a_model_of_its_own(bench: Bench) -> None:
    job = order("wait").job
    training = ReferenceTraining(60, 8, 64, 64, 2, 2, 0.003, 1)
    role = WorkerRole("second", 1, job.spec.shape, ("h100-sxm",), training)

    assert "role second" in (bench.cluster.objection(replace(job, spec=replace(job.spec, roles=(role,)))) or "")


def test_it_has_nothing_against_a_plain_job(bench: Bench) -> None:
    assert bench.cluster.objection(order("wait").job) is None


def test_a_cluster_that_works_is_found_to_work(bench: Bench) -> None:
    findings = bench.cluster.check()

    assert findings
    assert all(finding.is_ok and finding.next_step is None for finding in findings), findings
    assert all(finding.what and finding.detail for finding in findings)


def test_notes_are_given_once_and_only_of_workers_it_has(bench: Bench) -> None:
    bench.cluster.start(order("exit", "0"))
    bench.ended()

    notes = bench.cluster.notes()

    assert {note.attempt for note in notes} <= {ATTEMPT}
    assert all(len(note.text) <= 500 and note.at.tzinfo for note in notes)
    assert not set(bench.cluster.notes()) & set(notes)


def test_sweeping_leaves_alone_what_has_workers(bench: Bench) -> None:
    bench.cluster.start(order("wait"))
    bench.cluster.start(order("wait", attempt=OTHER))

    bench.cluster.sweep({ATTEMPT}, unfinished=())
    bench.cluster.sweep(frozenset(), unfinished=())

    assert len(bench.running()) == len(bench.running(OTHER)) == 1


def test_sweeping_away_an_ended_attempt_leaves_its_output(bench: Bench) -> None:
    bench.cluster.start(order("print", "hello", "exit", "0"))
    bench.ended()
    bench.cluster.forget(ATTEMPT)

    bench.cluster.sweep(frozenset(), unfinished=())

    assert bench.seen() == []
    assert bench.printed("hello") == "hello\n"


def test_how_long_ago_it_told_anything_is_known_without_asking(bench: Bench) -> None:
    assert bench.cluster.inventory()
    lag_s = bench.cluster.lag_s()
    assert lag_s is not None
    assert 0 <= lag_s < PATIENCE_S
