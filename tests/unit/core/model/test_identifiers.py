from scheduler.core.model.identifiers import (
    WorkerKey,
    attempt_id,
    group_id,
    job_named_by,
    node_id,
    worker_name,
)


def test_every_name_is_made_of_the_name_above_it() -> None:
    group = group_id("abc", 0)
    attempt = attempt_id(group, 2)
    assert (group, attempt, worker_name(attempt, 3)) == ("abc-g0", "abc-g0-a2", "abc-g0-a2-r3")


def test_a_worker_has_the_same_name_however_it_is_asked_for() -> None:
    assert WorkerKey("abc-g0-a1", 7).name == worker_name("abc-g0-a1", 7)


def test_workers_sort_by_attempt_and_then_by_rank_as_a_number() -> None:
    keys = [WorkerKey("b", 0), WorkerKey("a", 10), WorkerKey("a", 9)]
    assert sorted(keys) == [WorkerKey("a", 9), WorkerKey("a", 10), WorkerKey("b", 0)]


def test_a_node_is_named_within_its_cluster() -> None:
    assert node_id("east", "n1") != node_id("west", "n1")
    assert node_id("east", "n1") == "east/n1"


def test_groups_and_attempts_name_their_job() -> None:
    assert job_named_by("0a1b2c3d4e5f6g7h-g0") == job_named_by("0a1b2c3d4e5f6g7h-g0-a12") == "0a1b2c3d4e5f6g7h"
