"""Why a gang has no place agrees with whether it has one, and with the rooms in which it was looked for."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.explanation import explain
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.decision import Placed, Refused, Waiting
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.reason import CannotServe, NeverFits, Reason, TooFewFree
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import Closeness
from scheduler.core.placement.gang import place
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.reasons.shortage import shortages
from scheduler.core.placement.request import GangRequest, PartRequest, request_of
from scheduler.core.placement.room.fitting import can_never_fit
from scheduler.core.placement.setting_aside import kept_apart
from tests.builders import strategies as some
from tests.builders.core import NOON, make_ledger, make_state
from tests.oracle.decisions import decide


@dataclass(frozen=True)
class Room:
    """What placement sees at a glance before it looks for seats."""

    total: int
    """How many workers fit into the cluster."""
    is_too_small: bool
    """Whether all of them are known to fit into no domain of the required level."""


@dataclass(frozen=True)
class Answers:
    """What is said of one gang and one cluster."""

    parts: int
    is_spread: bool
    has_place: bool
    never_fits: bool
    rooms: dict[tuple[str | None, str], Room]
    """Of each part, by chip type and role."""
    reasons: tuple[Reason, ...]

    @property
    def is_short(self) -> bool:
        """True where the reasons name a part of which too few fit, or what can never be."""
        return any(not isinstance(one, TooFewFree) or one.workers_fit < one.workers for one in self.reasons)


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
        rooms = {(part.part.chip, part.part.role): _room(placer, cluster, request, part) for part in option.parts}
    return Answers(
        parts=len(option.parts),
        is_spread=request.spread is not None,
        has_place=place(placer, request, option, avoid) is not None,
        never_fits=can_never_fit(ledger, request),
        rooms=rooms,
        reasons=shortages(ledger, cluster, request, option, avoid),
    )


def _room(placer: Placer, cluster: str, request: GangRequest, part: PartRequest) -> Room:
    view, level = placer.views(cluster, request, part).widest(), request.closeness.required
    if view is None:
        return Room(0, is_too_small=True)
    return Room(view.total, is_too_small=level is not None and view.has_no_room_within(level, part.part.workers))


@some.fixed(200)
@given(answers())
def test_who_has_a_place_is_not_called_short_and_one_part_without_a_place_is(found: list[Answers]) -> None:
    for one in found:
        assert one.reasons
        if one.has_place:
            assert not one.is_short
        elif one.parts == 1:
            assert one.is_short


@some.fixed(200)
@given(answers())
def test_what_is_refused_for_ever_is_what_the_reasons_call_impossible(found: list[Answers]) -> None:
    for one in found:
        assert one.never_fits == all(isinstance(reason, NeverFits | CannotServe) for reason in one.reasons)


@some.fixed(200)
@given(answers())
def test_the_figures_told_are_those_of_the_rooms_in_which_placement_looks(found: list[Answers]) -> None:
    for one in found:
        for told in one.reasons:
            if isinstance(told, TooFewFree):
                room = one.rooms[told.chip, told.role]
                anywhere = told.workers_fit if told.workers_fit_anywhere is None else told.workers_fit_anywhere
                assert anywhere <= room.total if one.is_spread else anywhere == room.total
                assert told.workers_fit < told.workers or not room.is_too_small


@some.fixed(100)
@given(some.nodes(), some.jobs(most=1), some.quotas)
def test_who_waits_or_is_refused_by_a_decision_has_reasons_and_who_is_placed_has_none(
    nodes: list[Node], jobs: list[Job], quotas: tuple[QueueQuota, ...]
) -> None:
    state = make_state(*nodes, jobs=tuple(jobs), quotas=quotas)
    (decision,) = decide(state, NOON)
    told = explain(state, decision.group, NOON).reasons
    match decision:
        case Placed():
            assert told == ()
        case Waiting():
            assert told
        case Refused(reasons=reasons):
            assert reasons
            assert set(reasons) <= set(told)
