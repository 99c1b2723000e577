from dataclasses import replace

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import RetryRule, apply_event
from scheduler.core.model.change import ChangeBody, GroupMoved, NodeSeen, QueueQuotaLifted, QueueQuotaSet
from scheduler.core.model.group import Group, StopReason
from scheduler.core.model.job import ArrayMember
from scheduler.core.model.node import NodeState
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.waiting.promise import Promise
from tests.builders.core import NOON, as_change, make_job, make_node, make_state, place_first


def news_of(state: SchedulerState, *bodies: ChangeBody) -> dict[str, set[object]]:
    """Return what a state has more of after some changes."""
    before = state.news.now
    for body in bodies:
        state.apply(as_change(body))
    told = ("pools", "shrunk", "queues", "kept", "tenants", "arrays")
    return {name: found for name in told if (found := set(getattr(state.news, name).since(before)))}


def test_who_ends_leaves_room_on_all_sides_of_its_nodes() -> None:
    member = ArrayMember("array", "sweep", 0, 2, most_at_once=1)
    state = place_first(make_state(make_node(devices={"h100": 4, "a800": 4}), jobs=(make_job(array=member),)))
    (live,) = state.live.values()
    stopping = apply_event(live.group, Event.STOP, reason=StopReason.CANCELLED, rule=RetryRule(0), now=NOON)
    assert isinstance(stopping, Group)
    assert news_of(state, GroupMoved(stopping, live.attempt)) == {}
    gone = apply_event(stopping, Event.GONE, rule=RetryRule(0), now=NOON)
    assert isinstance(gone, Group)
    assert news_of(state, GroupMoved(gone, live.attempt)) == {
        "pools": {("mixed", None), ("mixed", "h100"), ("mixed", "a800")},
        "queues": {"alpha"},
        "tenants": {"alpha"},
        "arrays": {"array"},
    }


def test_a_node_that_takes_work_again_is_room_and_one_that_is_smaller_may_be_too_small_for_some() -> None:
    node = make_node()
    state = make_state(replace(node, state=NodeState.SUSPECT))
    pools = {("mixed", None), ("mixed", "h100")}
    assert news_of(state, NodeSeen(node)) == {"pools": pools}
    assert news_of(state, NodeSeen(replace(node, cpu_milli=1))) == {"pools": pools, "shrunk": {None, "h100"}}


def test_a_quota_that_changes_is_news_to_its_tenant_and_to_nobody_else() -> None:
    state = make_state(make_node())
    assert news_of(state, QueueQuotaSet(QueueQuota("alpha", "h100", limit=4))) == {
        "queues": {"alpha"},
        "kept": {"h100"},
    }
    assert news_of(state, QueueQuotaLifted("alpha", "h100")) == {"queues": {"alpha"}, "kept": {"h100"}}


def test_the_first_node_of_a_cluster_and_the_last_one_are_an_upheaval() -> None:
    state = make_state(make_node())
    other = make_node(cluster="other")
    for node in (other, replace(other, state=NodeState.GONE)):
        state.apply(as_change(NodeSeen(node)))
        assert state.news.upheaval == state.news.now
    state.apply(as_change(NodeSeen(make_node("n2"))))
    assert state.news.upheaval < state.news.now


def test_what_becomes_of_those_that_run_on_stirs_nobody_and_their_end_does() -> None:
    state = place_first(make_state(make_node(), jobs=(make_job(),)))
    stirred = state.news.stirred
    (live,) = state.live.values()
    group = live.group
    for event in (Event.WORKERS_CREATED, Event.ALL_READY):
        moved = apply_event(group, event, rule=RetryRule(0), now=NOON)
        assert isinstance(moved, Group)
        group = moved
        state.apply(as_change(GroupMoved(group, live.attempt)))
    assert state.news.stirred == stirred < state.news.now
    stopping = apply_event(group, Event.STOP, reason=StopReason.CANCELLED, rule=RetryRule(0), now=NOON)
    assert isinstance(stopping, Group)
    state.apply(as_change(GroupMoved(stopping, live.attempt)))
    assert state.news.stirred == state.news.now


def test_who_is_placed_stirs_somebody_where_room_was_kept_for_it() -> None:
    job = make_job()
    quiet, kept = make_state(make_node(), jobs=(job,)), make_state(make_node(), jobs=(job,))
    (group,) = kept.waiting
    kept.promised[group] = Promise(group, NOON, None, (), ())
    for state, stirs in ((quiet, False), (kept, True)):
        before = state.news.now
        place_first(state)
        assert (state.news.stirred > before) is stirs
