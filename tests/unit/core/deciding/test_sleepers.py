from scheduler.core.deciding.lacks import LacksAnything, LacksQuota, LacksRoom, LacksTurn, room_of
from scheduler.core.deciding.parts.waiters import Class
from scheduler.core.deciding.sleepers import Sleepers
from scheduler.core.ledger.states.demand import demand_of
from tests.builders.core import make_group, make_job, make_shape, make_state

POOL = ("mixed", "h100")
ROOM = room_of(POOL, demand_of("h100", make_shape()), None)
LARGE = room_of(POOL, demand_of("h100", make_shape(8)), None)


def sleeper() -> Class:
    ((asked, waiting),) = make_state(jobs=(make_job(),)).waiters.classes.all.items()
    assert waiting.asked is asked
    return waiting


def room(**workers: int) -> "dict[LacksRoom, int]":
    return {ROOM: workers.get("small", 0), LARGE: workers.get("large", 0)}


def test_those_alone_are_told_for_whom_there_is_room_enough() -> None:
    sleepers, (one, four, huge) = Sleepers(), (sleeper(), sleeper(), sleeper())
    sleepers.put(four, [(ROOM, 4)])
    sleepers.put(one, [(ROOM, 1)])
    sleepers.put(huge, [(LARGE, 2)])
    assert list(sleepers.beds_in(POOL)) == [ROOM, LARGE]
    assert [sleepers.wanting(ROOM, workers) for workers in (0, 3, 4)] == [[], [one], [one, four]]
    assert [sleepers.count(LARGE, workers) for workers in (1, 2)] == [0, 1]
    assert sleepers.fewest(LARGE) == (2, huge)
    assert list(sleepers.room_wanted(four)) == [(ROOM, 4)]
    assert not sleepers.has_room_in(POOL, lambda lack, _: room(small=0, large=1)[lack])
    assert sleepers.has_room_in(POOL, lambda lack, _: room(small=0, large=2)[lack])
    assert not sleepers.has_room_in(("mixed", "a800"), lambda _lack, _: 100)


def test_who_lacks_one_of_several_things_is_found_by_each_and_leaves_all_at_once() -> None:
    sleepers, one = Sleepers(), sleeper()
    lacked = (LacksAnything(POOL), LacksQuota("alpha"), LacksTurn("array"))
    sleepers.put(one, [(lack, 0) for lack in (*lacked, lacked[0])])
    assert [sleepers.lacking(lack) for lack in lacked] == [[one]] * 3
    assert one in sleepers
    assert list(sleepers) == [one]
    sleepers.remove(one)
    sleepers.remove(one)
    assert [sleepers.lacking(lack) for lack in lacked] == [[]] * 3
    assert len(sleepers) == 0


def test_who_is_put_to_sleep_again_lacks_only_what_it_lacks_now() -> None:
    sleepers, one = Sleepers(), sleeper()
    sleepers.put(one, [(ROOM, 4)])
    sleepers.put(one, [(LARGE, 1)])
    assert not sleepers.has_room_in(POOL, lambda lack, _: room(small=9)[lack])
    assert sleepers.has_room_in(POOL, lambda lack, _: room(large=1)[lack])
    assert list(sleepers.room_wanted(one)) == [(LARGE, 1)]


def test_those_of_a_queue_stand_in_its_order_and_anew_where_that_changed() -> None:
    state, sleepers = make_state(jobs=(make_job(1), make_job(3), make_job(2, workers=2))), Sleepers()
    first, second = state.waiters.classes.all.values()
    for each in (second, first):
        sleepers.put(each, [(ROOM, 1)])
    assert list(sleepers.queues()) == ["alpha"]
    assert [each for _, _, each in sleepers.stands("alpha")] == [first, second]
    state.waiters.remove(make_group(make_job(1)).id)
    sleepers.sort()
    assert [each for _, _, each in sleepers.stands("alpha")] == [second, first]
