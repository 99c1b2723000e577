from scheduler.core.deciding.parts.live import LiveAttempt, LiveAttempts
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import attempt_id
from tests.builders.core import NOON, make_allocation, make_group, make_job, make_ledger, make_node

NODES = (make_node("a", {"h100": 8, "a800": 8}), make_node("b", {"mi300x": 8}))


def attempt(number: int, *held: Allocation) -> LiveAttempt:
    job = make_job(number)
    group = make_group(job, State.RUNNING)
    return LiveAttempt(attempt_id(group.id, 1), group, job, FIRST_GENERATION, held, NOON)


def test_attempts_are_found_on_every_side_of_their_nodes_before_and_after_somebody_asks() -> None:
    live = LiveAttempts(make_ledger(*NODES))
    first = attempt(1, make_allocation((0,), node="mixed/a"))
    second = attempt(
        2, make_allocation((1,), node="mixed/a"), make_allocation((0,), rank=1, node="mixed/b", chip="mi300x")
    )
    live.hold(first)
    assert set(live.occupants.of(("mixed", "h100"))) == {first.attempt}
    live.hold(second)
    assert set(live.occupants.of(("mixed", "h100"))) == {first.attempt, second.attempt}
    assert set(live.occupants.of(("mixed", "a800"))) == {first.attempt, second.attempt}
    assert set(live.occupants.of(("mixed", "mi300x"))) == {second.attempt}
    assert set(live.occupants.of(("mixed", None))) == {first.attempt, second.attempt}
    assert set(live.occupants.of(("other", "h100"))) == set()


def test_who_holds_nothing_any_more_is_found_nowhere() -> None:
    live = LiveAttempts(make_ledger(*NODES))
    for number in range(2):
        live.hold(attempt(number, make_allocation((number,), node="mixed/a")))
    first, second = live.by_id.values()
    live.release(first)
    assert set(live.occupants.of(("mixed", "h100"))) == {second.attempt}
    live.release(second)
    assert set(live.occupants.of(("mixed", "h100"))) == set()
