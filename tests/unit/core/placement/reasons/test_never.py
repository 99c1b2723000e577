from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import Alternative, AnyOf
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import CannotServe, Mismatch, NeverFits
from scheduler.core.model.topology import Closeness
from scheduler.core.placement.reasons.never import reasons_why_never
from scheduler.core.placement.request import request_of
from tests.builders.core import make_job, make_ledger, make_node, make_shape

NODES = (make_node("a", {"h100": 2}), make_node("b", {"mlu": 8}))
EITHER = AnyOf(("h100", "mlu"))


def nodes() -> Ledger:
    return make_ledger(*NODES)


def test_every_option_tells_what_it_lacks() -> None:
    job = make_job(workers=3, alternatives=(Alternative(1, make_shape(9), ("mlu",)),))
    found = reasons_why_never(nodes(), request_of(job))
    assert [(type(reason), getattr(reason, "chip", None)) for reason in found] == [
        (NeverFits, "h100"),
        (NeverFits, "mlu"),
    ]


def test_a_wish_that_a_cluster_cannot_meet_is_named_as_one() -> None:
    (reason,) = reasons_why_never(nodes(), request_of(make_job(closeness=Closeness(required="row"))))
    assert isinstance(reason, CannotServe)
    assert (reason.mismatch, reason.asked) == (Mismatch.LEVEL, ("row",))


def test_one_option_that_would_fit_is_enough() -> None:
    ledger = nodes()
    assert reasons_why_never(ledger, request_of(make_job(chips=EITHER, workers=9)))
    assert reasons_why_never(ledger, request_of(make_job(chips=EITHER, workers=8))) == ()
    assert reasons_why_never(ledger, request_of(make_job(workers=2))) == ()


def test_a_drained_node_may_come_back() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}, state=NodeState.DRAINED))
    assert reasons_why_never(ledger, request_of(make_job(workers=2))) == ()


def test_where_no_cluster_may_be_used_nothing_is_known() -> None:
    assert reasons_why_never(make_ledger(), request_of(make_job(workers=10**9))) == ()
    assert reasons_why_never(nodes(), request_of(make_job(workers=10**9, objecting_clusters=("mixed",)))) == ()
