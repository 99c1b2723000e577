from scheduler.core.ledger.changes import PutNode
from scheduler.core.ledger.occupancy import Spare
from scheduler.core.model.node import NodeState
from scheduler.core.placement.room import ChipRoom, Survey, workers_by_rest
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape

PAIRS = make_shape(2, cpu_milli=1_000, memory_mib=1_024)


def now(survey: Survey, chip: str = "h100") -> ChipRoom:
    return survey.now("mixed", [chip], PAIRS).chips[chip]


def when_empty(survey: Survey, chip: str = "h100") -> ChipRoom:
    return survey.when_empty("mixed", [chip], PAIRS).chips[chip]


def test_a_node_has_room_for_as_many_workers_as_its_scarcest_resource_allows() -> None:
    survey = Survey(make_ledger(make_node("a"), make_node("b", cpu_milli=3_999), make_node("c", pods=2)))
    assert [(room.node, room.workers) for room in now(survey).nodes] == [
        ("mixed/a", 4),
        ("mixed/b", 3),
        ("mixed/c", 2),
    ]
    assert now(survey).workers == 9


def test_a_node_without_room_for_one_worker_is_left_out() -> None:
    nodes = [make_node("a", {"h100": 1}), make_node("b", memory_mib=1_023), make_node("c", {"mlu": 8})]
    assert now(Survey(make_ledger(*nodes))) == ChipRoom((), 0)


def test_drained_nodes_have_room_when_all_is_empty_but_not_now() -> None:
    survey = Survey(make_ledger(make_node("a", state=NodeState.DRAINED), make_node("b", state=NodeState.GONE)))
    assert now(survey).workers == 0
    assert when_empty(survey).workers == 4


def test_what_is_held_takes_room_now_and_none_when_all_is_empty() -> None:
    ledger = make_ledger(make_node())
    survey = Survey(ledger)
    assert (now(survey).workers, when_empty(survey).workers) == (4, 4)
    ledger.apply(make_hold("a1", make_allocation((0, 1, 2))))
    assert (now(survey).workers, when_empty(survey).workers) == (2, 4)


def test_a_survey_sees_nodes_that_appear_after_it_looked() -> None:
    ledger = make_ledger()
    survey = Survey(ledger)
    assert (now(survey).workers, when_empty(survey).workers) == (0, 0)
    ledger.apply(PutNode(make_node()))
    assert (now(survey).workers, when_empty(survey).workers) == (4, 4)


def test_what_a_worker_does_not_ask_for_is_no_limit() -> None:
    assert workers_by_rest(Spare(0, 0, 7), make_shape(cpu_milli=0, memory_mib=0)) == {"cpu": 7, "memory": 7, "pods": 7}
