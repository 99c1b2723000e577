import pytest

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.asking.consequences import LeavingCause
from scheduler.core.model.asking.suppositions import (
    MOST_NODES,
    AddNodes,
    DrainNodes,
    NothingSupposed,
    SetQuota,
    SetWeight,
    Supposition,
    TooMuchSupposed,
    UnknownSubject,
)
from scheduler.core.model.sharing.queue import BadTree, ContradictoryQuota, Queue, QueueQuota
from scheduler.core.supposing.rehearsal import Rehearsal
from scheduler.core.supposing.supposed import Supposed
from tests.builders.core import NOON, make_job, make_node, make_state
from tests.builders.database import make_chip
from tests.builders.preempting import Contended

QUEUES = (Queue("alpha", tenant="alpha"), Queue("beta", tenant="beta"))


def supposed(state: SchedulerState, *suppositions: Supposition) -> Supposed:
    with Rehearsal(state, NOON) as rehearsal:
        found = Supposed(state, rehearsal)
        found.suppose(suppositions)
    return found


def shared() -> SchedulerState:
    return make_state(make_node(), queues=QUEUES, quotas=(QueueQuota("alpha", "compute", guaranteed=1),))


def test_what_runs_on_drained_nodes_leaves_all_of_it_and_frees_what_it_holds_elsewhere() -> None:
    cluster = Contended(make_node("a"), make_node("b"), make_node("c"))
    cluster.run(make_job(1, workers=16), make_job(2, workers=8))
    wide = cluster.state.live[f"{cluster.group(make_job(1)).id}-a1"]
    one, other = sorted({held.node for held in wide.allocations})
    found = supposed(cluster.state, DrainNodes((one,)))
    assert [(gone.live.attempt, gone.cause) for gone in found.gone] == [(wide.attempt, LeavingCause.DRAIN)]
    assert ("mixed", "h100") in found.gained.pools, f"{other} has room"
    assert supposed(cluster.state, DrainNodes((one,), runs_on=True)).gone == []


def test_quotas_and_weights_say_who_may_gain() -> None:
    state = make_state(make_node(), queues=QUEUES, quotas=(QueueQuota("alpha", "compute"),))
    assert list(supposed(state, SetQuota(QueueQuota("beta", "compute", limit=3))).gained.queues) == ["beta"]
    assert list(supposed(state, SetQuota(QueueQuota("beta", "compute"))).gained.queues) == ["beta"]
    assert not supposed(state, SetWeight("beta", 7)).gained.queues


def test_as_much_compute_may_be_guaranteed_as_all_devices_are_worth() -> None:
    state = make_state(make_node(), queues=QUEUES, chips=(make_chip("h100", measured_tflops=10.0),))
    assert list(supposed(state, SetQuota(QueueQuota("beta", "compute", guaranteed=80))).gained.queues) == ["beta"]
    with pytest.raises(ContradictoryQuota):
        supposed(state, SetQuota(QueueQuota("beta", "compute", guaranteed=81)))


@pytest.mark.parametrize(
    ("supposition", "error"),
    [
        (SetQuota(QueueQuota("nobody", "compute")), UnknownSubject),
        (SetQuota(QueueQuota("alpha", "nothing")), UnknownSubject),
        (SetQuota(QueueQuota("alpha", "compute", guaranteed=5, limit=3)), ContradictoryQuota),
        (SetQuota(QueueQuota("alpha", "compute", guaranteed=10**8)), ContradictoryQuota),
        (SetQuota(QueueQuota("alpha", "compute", guaranteed=1)), NothingSupposed),
        (SetWeight("nobody", 2), UnknownSubject),
        (SetWeight("alpha", 0), BadTree),
        (SetWeight("alpha", 1), NothingSupposed),
        (AddNodes("h100", MOST_NODES + 1), TooMuchSupposed),
    ],
)
def test_what_makes_no_sense_is_refused(supposition: Supposition, error: type[Exception]) -> None:
    with pytest.raises(error):
        supposed(shared(), supposition)


def test_a_refusal_says_which_supposition_it_is_about_and_all_together_are_bounded() -> None:
    with pytest.raises(UnknownSubject) as refused:
        supposed(shared(), SetWeight("alpha", 2), DrainNodes(("nowhere",)))
    assert refused.value.at == 1
    with pytest.raises(TooMuchSupposed):
        supposed(shared(), AddNodes("h100", MOST_NODES), AddNodes("h100", 1))
