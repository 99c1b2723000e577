"""The table of profiles, on both databases."""

from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from scheduler.adapters.database.storage import Storage
from scheduler.core.model.change import ProfilesChanged
from scheduler.core.model.measuring.layers import LayerProfile, LayerSpeed, MeasuredLayers, Profile, ProfileKey
from scheduler.core.model.measuring.throughput import JobFamily
from scheduler.ports.journal import Rejected, Rejection
from scheduler.services.follow_changes import state_of
from tests.builders.database import NOON, TENANT, Database, World, after_noon, make_world

FAMILY, OTHER = JobFamily(TENANT, "llama"), JobFamily("other", "llama")
KEY, WIDE = ProfileKey("h100", 2, 4), ProfileKey("h100", 16, 4)
TIMES, TWICE = LayerProfile(0.010, 0.021, head_s=0.066), LayerProfile(0.020, 0.042, head_s=0.132)


@pytest.fixture
def world(storage: Storage) -> World:
    return make_world(storage)


@pytest.fixture
def attempt(world: World) -> str:
    """An attempt that runs."""
    return world.place(world.submit())


def learn(world: World, attempt: str, *measured: MeasuredLayers, after_s: float = 0) -> list[Profile] | Rejected:
    return world.storage.profiles.learn(attempt, 1, measured, after_noon(after_s))


def test_what_is_measured_is_kept_and_adds_up(world: World, attempt: str) -> None:
    table = world.storage.profiles
    first = learn(world, attempt, MeasuredLayers(FAMILY, KEY, TIMES, 3))
    assert first == [Profile(FAMILY, KEY, TIMES, 3, None, 1, NOON, TIMES)]
    learn(world, attempt, MeasuredLayers(FAMILY, KEY, TWICE, 3), after_s=60)
    found = table.get(FAMILY, KEY)
    assert found is not None
    assert (found.reports, found.version, found.at) == (6, 2, after_noon(60))
    assert found.times.layer_forward_s == pytest.approx(0.015)
    assert found.times.head_s == pytest.approx(0.099)
    assert table.get(OTHER, KEY) is None
    assert table.of(FAMILY) == [found]


def test_reports_that_come_too_soon_are_let_go_key_by_key(world: World, attempt: str) -> None:
    learn(world, attempt, MeasuredLayers(FAMILY, KEY, TIMES))
    soon = learn(world, attempt, MeasuredLayers(FAMILY, KEY, TWICE), MeasuredLayers(FAMILY, WIDE, TWICE), after_s=5)
    assert isinstance(soon, list)
    assert [one.key for one in soon] == [WIDE]
    assert learn(world, attempt, MeasuredLayers(FAMILY, KEY, TWICE), after_s=11)


def test_who_is_over_or_unknown_says_nothing(world: World, attempt: str) -> None:
    measured = MeasuredLayers(FAMILY, KEY, TIMES)
    unknown = learn(world, "nobody", measured)
    late = world.storage.profiles.learn(attempt, 7, [measured], NOON)
    assert isinstance(unknown, Rejected)
    assert isinstance(late, Rejected)
    assert (unknown.why, late.why) == (Rejection.NOT_FOUND, Rejection.STALE_ATTEMPT)
    assert learn(world, attempt, MeasuredLayers(FAMILY, ProfileKey("abacus", 1, 1), TIMES)) == []
    assert world.storage.profiles.all(None) == []


def test_what_an_operator_says_stays_while_more_is_measured(world: World, attempt: str) -> None:
    table = world.storage.profiles
    said = table.set(FAMILY, KEY, LayerProfile(0.5, 0.6), NOON)
    assert said == Profile(FAMILY, KEY, None, 0, LayerProfile(0.5, 0.6), 1, NOON, LayerProfile(0.5, 0.6))
    learn(world, attempt, MeasuredLayers(FAMILY, KEY, TIMES))
    found = table.get(FAMILY, KEY)
    planned_with = LayerProfile(0.5, 0.6, head_s=0.066)
    assert found == Profile(FAMILY, KEY, TIMES, 1, LayerProfile(0.5, 0.6), 2, NOON, planned_with)


def test_what_another_process_learns_while_an_operator_speaks_is_not_lost(database: Database) -> None:
    with database.opened() as api, database.opened() as other, ThreadPoolExecutor(1) as threads:
        world = make_world(api)
        attempt = world.place(world.submit())
        learning: list[Future[list[Profile] | Rejected]] = []

        def learn_meanwhile(_present: object) -> None:
            measured = [MeasuredLayers(FAMILY, KEY, TIMES, 3)]
            learning.append(threads.submit(other.profiles.learn, attempt, 1, measured, after_noon(60)))
            wait(learning, timeout=0.2)

        api.profiles.set(FAMILY, KEY, TWICE, NOON, learn_meanwhile)
        learnt = learning[0].result(20)
        assert isinstance(learnt, list)
        found = api.profiles.get(FAMILY, KEY)
        assert [found] == learnt
        assert found is not None
        assert (found.measured, found.said, found.version) == (TIMES, TWICE, 2)


def test_a_guard_sees_what_is_there_and_may_refuse(world: World) -> None:
    table = world.storage.profiles
    table.set(FAMILY, KEY, TIMES, NOON)
    seen: list[object] = []

    def refuse(present: object) -> None:
        seen.append(present)
        raise KeyError

    with pytest.raises(KeyError):
        table.set(FAMILY, KEY, TWICE, NOON, refuse)
    with pytest.raises(KeyError):
        table.remove(FAMILY, KEY, NOON, refuse)
    assert seen == [table.get(FAMILY, KEY)] * 2


def test_the_table_is_listed_in_the_order_of_its_numbers(world: World) -> None:
    table = world.storage.profiles
    for family, key in ((OTHER, KEY), (FAMILY, WIDE), (FAMILY, KEY), (FAMILY, ProfileKey("h100", 2, 1))):
        table.set(family, key, TIMES, NOON)
    keys = [(one.key.tensor_parallel, one.key.micro_batch) for one in table.all(TENANT)]
    assert keys == [(2, 1), (2, 4), (16, 4)]
    assert {one.family for one in table.all(None)} == {FAMILY, OTHER}


def test_what_is_removed_is_learnt_anew(world: World) -> None:
    table = world.storage.profiles
    table.set(FAMILY, KEY, TIMES, NOON)
    assert table.remove(FAMILY, KEY, NOON)
    assert not table.remove(FAMILY, KEY, NOON)
    assert table.all(None) == []


def told(world: World, after: int) -> list[ProfilesChanged]:
    """Return what of profiles is new in the feed."""
    changes = world.storage.views.changes_after(after, limit=99)
    return [change.body for change in changes if isinstance(change.body, ProfilesChanged)]


def test_what_is_planned_with_is_told_by_the_feed_and_noise_is_not(world: World, attempt: str) -> None:
    last = world.storage.views.last_change()
    learn(world, attempt, MeasuredLayers(FAMILY, KEY, TIMES))
    assert told(world, last) == [ProfilesChanged((LayerSpeed(FAMILY, KEY, TIMES),))]
    last = world.storage.views.last_change()
    same = LayerProfile(0.01005, 0.0211, head_s=0.0661)
    learn(world, attempt, MeasuredLayers(FAMILY, KEY, same), after_s=60)
    assert told(world, last) == []
    world.storage.profiles.remove(FAMILY, KEY, NOON)
    assert told(world, last) == [ProfilesChanged((LayerSpeed(FAMILY, KEY, None),))]


def test_the_state_that_is_read_is_the_one_that_was_told(world: World, attempt: str) -> None:
    followed = state_of(world.storage.views.snapshot())
    last, empty = world.storage.views.last_change(), followed.digest()
    learn(world, attempt, MeasuredLayers(FAMILY, KEY, LayerProfile(0.0123456, 0.02, head_s=0.1)))
    world.storage.profiles.set(FAMILY, WIDE, TWICE, NOON)
    for change in world.storage.views.changes_after(last, limit=99):
        followed.apply(change)
    read = state_of(world.storage.views.snapshot())
    assert followed.digest() == read.digest() != empty
    assert followed.speeds.layers.of(FAMILY) == read.speeds.layers.of(FAMILY)
    assert followed.speeds.layers.of(FAMILY).layers[KEY].layer_forward_s == 0.0123456
