"""What gangs were told of their start, on both databases."""

import pytest

from scheduler.adapters.database.storage import Storage
from scheduler.core.model.job import Job
from scheduler.core.model.waiting.estimate import StartBasis
from scheduler.core.model.waiting.score import Score, ToldStart
from tests.builders.database import NOON, World, after_noon, make_world


@pytest.fixture
def world(storage: Storage) -> World:
    return make_world(storage)


def told(world: World, job: Job, basis: StartBasis = StartBasis.LEARNT, *, at_s: float = 0) -> ToldStart:
    attempt = world.group(job).next_attempt
    return ToldStart(attempt, basis, after_noon(at_s), after_noon(at_s + 60), after_noon(at_s + 600))


def test_who_is_placed_is_scored_once_by_each_basis_that_it_was_told(world: World) -> None:
    table, job = world.storage.estimates, world.submit()
    both = [told(world, job), told(world, job, StartBasis.GUESSED, at_s=30)]
    assert table.keep(both, (), NOON, world.epoch) == []
    assert table.open() == {(one.attempt, one.basis) for one in both}
    attempt = world.place(job)
    scores = table.keep([], {attempt}, NOON, world.epoch)
    expected = [Score(both[1], after_noon(100)), Score(both[0], after_noon(100))]
    assert scores is not None
    assert sorted(scores, key=lambda score: score.told.basis) == expected
    assert table.keep([], {attempt}, NOON, world.epoch) == []
    assert table.open() == set()
    assert table.scores(NOON, 9) == expected
    assert table.scores(after_noon(101), 9) == []
    assert table.scores(NOON, 1) == expected[:1]


def test_what_was_told_first_on_a_basis_stays(world: World) -> None:
    table, job = world.storage.estimates, world.submit()
    table.keep([told(world, job)], (), NOON, world.epoch)
    table.keep([told(world, job, at_s=50)], (), NOON, world.epoch)
    attempt = world.place(job)
    assert table.keep([], {attempt}, NOON, world.epoch) == [
        Score(ToldStart(attempt, StartBasis.LEARNT, NOON, after_noon(60), after_noon(600)), after_noon(100))
    ]


def test_of_who_never_started_nothing_is_kept(world: World) -> None:
    table, job = world.storage.estimates, world.submit()
    one = told(world, job)
    table.keep([one], (), NOON, world.epoch)
    assert table.keep([], {one.attempt}, NOON, world.epoch) == []
    assert (table.open(), table.scores(NOON, 9)) == (set(), [])


def test_what_was_told_too_long_ago_is_forgotten(world: World) -> None:
    table = world.storage.estimates
    old, new = told(world, world.submit()), told(world, world.submit(), at_s=100)
    table.keep([old, new], (), after_noon(50), world.epoch)
    assert table.open() == {(new.attempt, new.basis)}


def test_a_leader_of_the_past_keeps_nothing(world: World) -> None:
    table = world.storage.estimates
    assert table.keep([told(world, world.submit())], (), NOON, world.epoch - 1) is None
    assert table.open() == set()
