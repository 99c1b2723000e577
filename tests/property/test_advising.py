"""What is advised is true: who does it has a place."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.advising.smallest_changes import changes_to_fit, changes_to_start
from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.asking.remedies import with_remedy
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.queue import QueueQuota
from tests.builders import strategies as some
from tests.builders.core import NOON, make_state


@st.composite
def crowded(draw: st.DrawFn) -> tuple[Sequence[Node], tuple[QueueQuota, ...], Job]:
    return draw(some.nodes() | some.scarce_nodes()), draw(some.quotas), draw(some.gangs(most=8, parts=1))


@some.fixed(100)
@given(crowded(), st.data())
def test_who_does_what_is_advised_starts_now(
    scene: tuple[Sequence[Node], tuple[QueueQuota, ...], Job], data: st.DataObject
) -> None:
    nodes, quotas, job = scene
    state = make_state(*nodes, quotas=quotas)
    with Trial(state.ledger) as trial:
        for hold in data.draw(some.holds([node for node in nodes if state.ledger.has_node(node.id)])):
            trial.apply(hold)
        before = state.digest()
        for remedy in changes_to_start(state, job, NOON):
            changed = replace(job, spec=with_remedy(job.spec, remedy))
            assert prospect_of(state, changed, NOON).places, remedy
        assert state.digest() == before


@some.fixed(100)
@given(crowded())
def test_who_does_what_is_advised_is_not_refused(scene: tuple[Sequence[Node], tuple[QueueQuota, ...], Job]) -> None:
    nodes, _, job = scene
    state = make_state(*nodes)
    for remedy in changes_to_fit(state, job):
        assert not prospect_of(state, replace(job, spec=with_remedy(job.spec, remedy)), NOON).is_hopeless, remedy
