"""Two ways lead to why a gang has no place, a short one and a full one, and both agree with whether it has one."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.cycle import decide
from scheduler.core.deciding.explanation import explain
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.decision import Placed, Refused, Waiting
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.reason import CannotServe, NeverFits, Reason, Shortfall, TooFewFree
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import Closeness
from scheduler.core.placement.gang import place
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.reasons.shortage import shortages
from scheduler.core.placement.reasons.shortfalls import shortfalls
from scheduler.core.placement.request import request_of
from scheduler.core.placement.room.fitting import can_never_fit
from scheduler.core.placement.setting_aside import kept_apart
from tests.builders import strategies as some
from tests.builders.core import NOON, make_ledger, make_state


@dataclass(frozen=True)
class Answers:
    """What is said of one gang and one cluster."""

    parts: int
    has_place: bool
    never_fits: bool
    short: tuple[Shortfall, ...]
    full: tuple[Reason, ...]

    @property
    def is_short(self) -> bool:
        """True where the short reasons name a part of which too few fit."""
        return any(one.fit < one.workers for one in self.short)

    @property
    def is_short_in_full(self) -> bool:
        """True where the full reasons do, or name what can never be."""
        return any(not isinstance(one, TooFewFree) or one.workers_fit < one.workers for one in self.full)


@st.composite
def answers(draw: st.DrawFn) -> list[Answers]:
    """Draw nodes, what is held there and a gang; return what is said of it in each cluster."""
    nodes = draw(some.nodes() | some.scarce_nodes())
    ledger = make_ledger(*nodes)
    for hold in draw(some.holds(nodes)):
        ledger.apply(hold)
    job = draw(some.gangs())
    if draw(st.booleans()):
        job = replace(job, spec=replace(job.spec, closeness=Closeness(draw(st.sampled_from(some.LEVELS)))))
    avoid = draw(st.lists(st.sampled_from([node.id for node in nodes]), max_size=2)) if job.spec.apart else []
    return [_answers(ledger, job, cluster, tuple(avoid)) for cluster in ledger.clusters()]


def _answers(ledger: Ledger, job: Job, cluster: str, avoid: tuple[str, ...]) -> Answers:
    others = tuple(other for other in ledger.clusters() if other != cluster)
    request = replace(request_of(job), without=others)
    option = request.options[0]
    placer = Placer(ledger)
    with kept_apart(ledger, cluster, request, avoid):
        short = shortfalls(placer, cluster, request, option)
    return Answers(
        parts=len(option.parts),
        has_place=place(placer, request, option, avoid) is not None,
        never_fits=can_never_fit(ledger, request),
        short=short,
        full=shortages(ledger, cluster, request, option, avoid),
    )


@some.fixed(200)
@given(answers())
def test_who_has_a_place_is_called_short_by_neither_and_one_part_without_a_place_by_both(found: list[Answers]) -> None:
    for one in found:
        assert one.short
        assert one.full
        if one.has_place:
            assert not one.is_short
            assert not one.is_short_in_full
        elif one.parts == 1:
            assert one.is_short
            assert one.is_short_in_full


@some.fixed(200)
@given(answers())
def test_what_is_refused_for_ever_is_what_the_full_reasons_call_impossible(found: list[Answers]) -> None:
    for one in found:
        assert one.never_fits == all(isinstance(reason, NeverFits | CannotServe) for reason in one.full)


@some.fixed(200)
@given(answers())
def test_both_tell_the_same_figures_of_the_same_parts(found: list[Answers]) -> None:
    for one in found:
        if one.never_fits:
            continue
        in_full = [
            (full.chip, full.role, full.workers, full.level, full.workers_fit)
            for full in one.full
            if isinstance(full, TooFewFree)
        ]
        assert in_full == [(short.chip, short.role, short.workers, short.level, short.fit) for short in one.short]


@some.fixed(100)
@given(some.nodes(), some.jobs(most=1), some.quotas)
def test_who_waits_or_is_refused_by_a_decision_has_full_reasons_and_who_is_placed_has_none(
    nodes: list[Node], jobs: list[Job], quotas: tuple[QueueQuota, ...]
) -> None:
    state = make_state(*nodes, jobs=tuple(jobs), quotas=quotas)
    (decision,) = decide(state, NOON)
    full = explain(state, decision.group, NOON).reasons
    match decision:
        case Placed():
            assert full == ()
        case Waiting(reasons=reasons):
            assert reasons
            assert full
        case Refused(reasons=reasons):
            assert reasons
            assert set(reasons) <= set(full)
