from scheduler.core.model.topology import ANYWHERE_CLOSE, CLUSTER, NODE, RACK, Closeness
from scheduler.core.placement.room.levels import levels_to_try

LEVELS = (RACK, "zone")


def test_without_any_wish_every_level_is_tried_the_smallest_first() -> None:
    assert levels_to_try(LEVELS, ANYWHERE_CLOSE) == (NODE, RACK, "zone", CLUSTER)
    assert levels_to_try((), ANYWHERE_CLOSE) == (NODE, CLUSTER)


def test_no_domain_larger_than_the_required_level_is_tried() -> None:
    assert levels_to_try(LEVELS, Closeness(required=RACK)) == (NODE, RACK)
    assert levels_to_try(LEVELS, Closeness(required=NODE)) == (NODE,)
    assert levels_to_try(LEVELS, Closeness(required=CLUSTER)) == (NODE, RACK, "zone", CLUSTER)


def test_preferred_levels_are_tried_in_the_order_of_the_job_and_then_whatever_is_allowed() -> None:
    assert levels_to_try(LEVELS, Closeness(preferred=("zone", NODE))) == ("zone", NODE, CLUSTER)
    assert levels_to_try(LEVELS, Closeness(RACK, preferred=(NODE,))) == (NODE, RACK)


def test_to_prefer_nothing_is_to_take_the_largest_domain_at_once() -> None:
    assert levels_to_try(LEVELS, Closeness(preferred=())) == (CLUSTER,)
    assert levels_to_try(LEVELS, Closeness("zone", preferred=())) == ("zone",)


def test_preferred_levels_that_say_nothing_are_left_out() -> None:
    unknown, repeated, larger = ("moon", RACK), (RACK, RACK), ("zone", CLUSTER, RACK)
    assert levels_to_try(LEVELS, Closeness(preferred=unknown)) == (RACK, CLUSTER)
    assert levels_to_try(LEVELS, Closeness(preferred=repeated)) == (RACK, CLUSTER)
    assert levels_to_try(LEVELS, Closeness(RACK, preferred=larger)) == (RACK,)


def test_a_cluster_without_the_required_level_has_nothing_to_try() -> None:
    assert levels_to_try(LEVELS, Closeness(required="moon")) == ()
    assert levels_to_try((), Closeness(required=RACK)) == ()
