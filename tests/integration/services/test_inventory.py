"""When a cluster's nodes are recorded."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.adapters.memory.cluster import CLAIMS, FakeCluster
from scheduler.core.model.group import State
from scheduler.core.model.node import Cluster, NodeState
from scheduler.loops.steps import NODES_INTERVAL_S, NODES_PAUSE_S, recording_inventory
from scheduler.ports.cluster import ClusterUnavailable
from scheduler.services.sync_inventory import SILENCE_S, InventorySync
from tests.builders.stage import Stage, make_spec, runs_for_ever, stage


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened


@pytest.fixture
def inventory(scene: Stage) -> InventorySync:
    return InventorySync(scene.storage.directory, scene.clock, scene.cluster, kind="local")


def node_states(scene: Stage) -> set[NodeState]:
    return {view.node.state for view in scene.storage.views.nodes(cluster=None, chip=None, after=None, limit=9)}


def drain_all(scene: Stage) -> None:
    nodes = scene.cluster.inventory()
    scene.cluster.change_nodes([replace(node, state=NodeState.DRAINED, note="cordoned") for node in nodes])


def test_changed_nodes_are_recorded_at_the_hint(scene: Stage, inventory: InventorySync) -> None:
    step = recording_inventory(inventory, scene.clock)
    assert step() == NODES_INTERVAL_S
    drain_all(scene)
    scene.clock.advance(NODES_PAUSE_S)
    assert step() == NODES_INTERVAL_S
    assert node_states(scene) == {NodeState.DRAINED}


def test_a_hint_without_other_nodes_does_not_ask_the_database(
    scene: Stage, inventory: InventorySync, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = recording_inventory(inventory, scene.clock)
    step()
    monkeypatch.setattr(inventory, "sync_once", lambda: pytest.fail("nothing changed"))
    scene.cluster.change_nodes(scene.cluster.inventory())
    scene.clock.advance(NODES_PAUSE_S)
    assert step() == NODES_INTERVAL_S - NODES_PAUSE_S


def test_many_hints_in_a_row_are_one(scene: Stage, inventory: InventorySync) -> None:
    step = recording_inventory(inventory, scene.clock)
    step()
    drain_all(scene)
    assert step() == NODES_PAUSE_S, "it comes again after the pause"
    assert node_states(scene) == {NodeState.READY}


def test_nodes_are_recorded_at_every_interval_without_a_hint(scene: Stage, inventory: InventorySync) -> None:
    step = recording_inventory(inventory, scene.clock)
    step()
    with scene.storage.engines.writing.begin() as connection:
        connection.exec_driver_sql("UPDATE nodes SET state = 'drained'")
    scene.clock.advance(NODES_INTERVAL_S)
    step()
    assert node_states(scene) == {NodeState.READY}


def test_a_cluster_that_is_away_at_first_is_registered_and_recorded_when_it_answers(
    scene: Stage, inventory: InventorySync
) -> None:
    step = recording_inventory(inventory, scene.clock)
    scene.cluster.is_away = True
    for _ in "ab":  # the pause after a look is no success of one that failed
        with pytest.raises(ClusterUnavailable):
            step()
    assert [cluster.name for cluster in scene.storage.directory.clusters()] == ["mixed"]
    scene.cluster.is_away = False
    drain_all(scene)
    scene.clock.advance(NODES_PAUSE_S)
    step()
    assert node_states(scene) == {NodeState.DRAINED}


def test_a_closed_one_hears_no_hints(scene: Stage, inventory: InventorySync) -> None:
    inventory.sync_once()
    inventory.close()
    drain_all(scene)
    assert not inventory.has_news()


def notes(scene: Stage) -> set[str]:
    return {view.node.note for view in scene.storage.views.nodes(cluster=None, chip=None, after=None, limit=9)}


def test_nodes_of_a_cluster_that_does_not_answer_take_nothing_new_until_it_does(
    scene: Stage, inventory: InventorySync
) -> None:
    step = recording_inventory(inventory, scene.clock)
    step()
    scene.cluster.is_away = True
    scene.clock.advance(NODES_INTERVAL_S)
    with pytest.raises(ClusterUnavailable):
        step()
    scene.clock.advance(SILENCE_S - 1.0)
    with pytest.raises(ClusterUnavailable):
        step()
    assert node_states(scene) == {NodeState.READY}, "a short silence is nothing"
    scene.clock.advance(1.0)
    with pytest.raises(ClusterUnavailable):
        step()
    assert (node_states(scene), notes(scene)) == ({NodeState.SUSPECT}, {"the cluster does not answer"})
    waiting = scene.submit(make_spec())
    scene.decider.decide_once()
    assert scene.job(waiting).state is State.QUEUED
    change = scene.storage.views.last_change()
    with pytest.raises(ClusterUnavailable):
        step()
    assert scene.storage.views.last_change() == change
    scene.cluster.is_away = False
    step()
    assert (node_states(scene), notes(scene)) == ({NodeState.READY}, {""})


def test_a_cluster_that_this_process_never_saw_loses_the_nodes_it_had_before(scene: Stage) -> None:
    scene.cluster.is_away = True
    inventory = InventorySync(scene.storage.directory, scene.clock, scene.cluster, kind="local")
    for _ in "ab":
        with pytest.raises(ClusterUnavailable):
            inventory.sync_once()
        scene.clock.advance(SILENCE_S)
    assert node_states(scene) == {NodeState.SUSPECT}


def test_the_cluster_is_registered_with_what_it_claims(scene: Stage) -> None:
    claims = replace(CLAIMS, binds_devices=False, enforces_shares=False)
    cluster = FakeCluster("counting", [], clock=scene.clock, script=runs_for_ever, claims=claims)
    InventorySync(scene.storage.directory, scene.clock, cluster, kind="kubernetes").sync_once()
    known = {each.name: each for each in scene.storage.directory.clusters()}
    assert known["mixed"] == Cluster("mixed", "local", binds_devices=True, enforces_shares=True)
    assert known["counting"] == Cluster("counting", "kubernetes", binds_devices=False, enforces_shares=False)


def test_the_silence_counts_anew_after_every_answer(scene: Stage, inventory: InventorySync) -> None:
    for _ in "abc":
        scene.cluster.is_away = True
        with pytest.raises(ClusterUnavailable):
            inventory.sync_once()
        scene.cluster.is_away = False
        scene.clock.advance(SILENCE_S / 2)
        inventory.sync_once()
    assert node_states(scene) == {NodeState.READY}
