from dataclasses import replace

from scheduler.core.ledger.states.demand import NO_LIMIT
from scheduler.core.model.job import Alternative, AnyOf, Choice, ExactMix, WorkerRole
from scheduler.core.model.topology import NODE, RACK, Apart, Closeness, Spread
from scheduler.core.placement.request import request_key, request_of
from tests.builders.core import make_job, make_shape
from tests.builders.placing import HALF_A_DEVICE, NO_DEVICE, ask

PAIRS = make_shape(2)
LAUNCHER = WorkerRole("launcher", 1, NO_DEVICE, ())


def test_every_option_of_a_job_is_asked_for_in_its_order() -> None:
    request = ask(4, chips=AnyOf(("mlu", "h100")), alternatives=(Alternative(8, PAIRS, ("mi300x",)),))
    assert [option.number for option in request.options] == [1, 2, 3]
    assert [(part.part.chip, part.part.workers) for option in request.options for part in option.parts] == [
        ("mlu", 4),
        ("h100", 4),
        ("mi300x", 8),
    ]


def test_devices_are_added_up_per_chip_type_in_the_order_of_first_mention() -> None:
    request = ask(chips=ExactMix((("mlu", 2), ("h100", 1))), shape=PAIRS, roles=(WorkerRole("x", 1, PAIRS, ("mlu",)),))
    assert request.options[0].devices_milli == (("mlu", 6_000), ("h100", 2_000))


def test_shares_count_as_what_they_are_and_who_needs_no_device_counts_as_nothing() -> None:
    request = ask(3, shape=HALF_A_DEVICE, roles=(LAUNCHER,))
    assert request.options[0].devices_milli == (("h100", 1_500),)


def test_jobs_that_ask_for_the_same_ask_for_the_very_same_demands() -> None:
    first, second = ask(4, shape=PAIRS), ask(4, shape=PAIRS)
    assert first.options[0].parts[0].demand is second.options[0].parts[0].demand
    assert first.options[0].parts[0].together is second.options[0].parts[0].together


def test_a_part_knows_what_all_its_workers_ask_of_one_node() -> None:
    (part,) = ask(4, shape=PAIRS).options[0].parts
    assert (part.demand.together, part.together.together) == (1, 4)


def test_a_spread_over_nodes_is_part_of_the_demands_and_one_over_racks_is_not() -> None:
    over_nodes, over_racks = ask(4, spread=Spread(NODE, 2)), ask(4, spread=Spread(RACK, 2))
    assert over_nodes.options[0].parts[0].demand.most_per_node == 2
    assert over_nodes.spread is None
    assert over_racks.options[0].parts[0].demand.most_per_node == NO_LIMIT
    assert over_racks.spread == Spread(RACK, 2)


def test_wishes_about_nodes_reach_every_demand() -> None:
    request = ask(roles=(LAUNCHER,), exclusive=True, node_labels=(("disk", "fast"),))
    demands = [part.demand for part in request.options[0].parts]
    assert [(demand.is_exclusive, demand.labels) for demand in demands] == [(True, (("disk", "fast"),))] * 2
    assert request.is_exclusive


def test_jobs_have_one_key_exactly_where_they_ask_for_the_same() -> None:
    job = make_job(1, workers=4)
    same = make_job(2, workers=4, priority=9, labels=(("app", "web"),))
    assert request_key(job) == request_key(same)
    others = [
        make_job(workers=4, tenant="beta"),
        make_job(workers=5),
        make_job(workers=4, shape=PAIRS),
        make_job(workers=4, choice=Choice.BEST),
        make_job(workers=4, closeness=Closeness(RACK)),
        make_job(workers=4, spread=Spread(RACK, 1)),
        make_job(workers=4, apart=Apart(NODE, (("a", "b"),))),
        make_job(workers=4, exclusive=True),
        make_job(workers=4, node_labels=(("a", "b"),)),
        make_job(workers=4, objecting_clusters=("east",)),
    ]
    assert len({request_key(job), *(request_key(other) for other in others)}) == len(others) + 1


def test_clusters_that_object_are_not_used() -> None:
    job = make_job(objecting_clusters=("east",))
    assert request_of(job).without == ("east",)
    assert request_of(replace(job, spec=replace(job.spec, objecting_clusters=()))).without == ()
