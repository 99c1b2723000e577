"""Parts of the model as JSON text: what goes in comes out, of the same type and equal."""

import json
from dataclasses import replace
from typing import get_args

import pytest

from scheduler.adapters.database.documents import (
    FOREIGN_USE,
    JOB_SPEC,
    NOTES,
    PAIRS,
    SLOTS,
    TOPOLOGY,
    WORDS,
    decode_body,
    encode_body,
    storable,
)
from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.attempt import (
    Checkpoint,
    Progress,
    ResizeStep,
    WorkerEnd,
    WorkerPhase,
    WorkerRecord,
    WorkerRemark,
)
from scheduler.core.model.change import (
    KIND_OF,
    ChangeBody,
    CheckpointSaved,
    ChipDefined,
    ChipGroupRemoved,
    ChipGroupSet,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    GroupResized,
    JobRevised,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    ProfilesChanged,
    ProgressReported,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueRemoved,
    QueueSet,
    ReplicasWished,
    ReservationDropped,
    ReservationMade,
    ResizeAdvanced,
    SpeedsChanged,
    StopWished,
    TenantCreated,
    WorkersNoted,
    WorkersWished,
)
from scheduler.core.model.decision import ResizeCause
from scheduler.core.model.group import Group, State, StopReason
from scheduler.core.model.job import (
    Alternative,
    AnyOf,
    ArrayMember,
    Choice,
    CommandProgram,
    Condition,
    Dependency,
    ExactMix,
    Job,
    JobKind,
    JobSpec,
    ReferenceTraining,
    Wish,
    WorkerRole,
)
from scheduler.core.model.measuring.layers import LayerProfile, LayerSpeed, ProfileKey
from scheduler.core.model.measuring.throughput import JobFamily, Speed
from scheduler.core.model.node import NO_FOREIGN_USE, Cluster, ForeignUse, NodeState
from scheduler.core.model.reason import (
    ArrayIsFull,
    BackingOff,
    CannotFollow,
    CannotServe,
    Holder,
    KeptApart,
    KeptFor,
    KeptForOthers,
    Limit,
    Mismatch,
    NearestShape,
    NeverFits,
    NoCluster,
    QueueIsFull,
    QuotaExceeded,
    Reason,
    Resource,
    RoomIsMade,
    TooFewFree,
    WaitsForArray,
    WaitsForJob,
)
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.sharing.eviction import EvictionCause, GivenTo
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueCaps, QueueQuota, QuotaCause
from scheduler.core.model.topology import RACK, Apart, Closeness, Spread, Topology
from scheduler.core.model.waiting.promise import AwaitedEnd, Basis, DropReason, NodeRoom, Promise
from tests.builders.database import (
    NOON,
    after_noon,
    make_chip,
    make_node,
    make_note,
    take,
    take_counted,
    take_no_devices,
    take_share,
)

LIMIT = Limit(Resource.CPU, 1_000, 500)

STRANGE = 'quote " back\\slash\n\u202egnp.exe \U0001f600 é'
SPEC = JobSpec(
    name=STRANGE,
    kind=JobKind.TRAINING,
    workers=3,
    shape=WorkerShape(1, 2, 3),
    chips=ExactMix((("h100", 1), ("mi300x", 2))),
    program=CommandProgram(("python", "-c", STRANGE, "")),
    environment=(("B", "1"), ("A", STRANGE)),
    retries=2,
    time_limit_s=None,
    labels=(("team", "x"),),
)
OTHER_SPEC = replace(
    SPEC,
    chips=AnyOf(("mi300x", "h100")),
    program=ReferenceTraining(100, 8, 64, 32, 2, 4, learning_rate=3e-4, seed=2**40),
    time_limit_s=3_600,
    image="registry.example/train:1",
    shared_memory_mib=64,
    volumes=(Volume("datasets", "/data", is_read_only=True),),
    secrets=(SecretVariable("TOKEN", "hub", "token"),),
    after=(Dependency("j1"), Dependency("j2", Condition.ENDED), Dependency("a2", is_array=True)),
    objecting_clusters=("mixed",),
    choice=Choice.BEST,
    alternatives=(Alternative(6, WorkerShape(0, 2, 3, 500, 1_024), ("h100",)),),
    roles=(
        WorkerRole("launcher", 1, WorkerShape(0, 2, 3), (), CommandProgram(("launch",))),
        WorkerRole("evaluator", 2, WorkerShape(1, 2, 3), ("mi300x",)),
    ),
    closeness=Closeness(required=RACK, preferred=("node", RACK)),
    spread=Spread(RACK, 2),
    apart=Apart("node", (("team", "x"),)),
    exclusive=True,
    node_labels=(("zone", "z1"),),
    array=ArrayMember("a1", STRANGE, 3, 10, 2),
)
JOB = Job("000000001abcdefg", "alpha", SPEC, "ann", NOON, Wish.STOP)
GROUP = Group("000000001abcdefg-g0", JOB.id, 0, State.QUEUED, 1, 0, 0)
STOPPED = replace(GROUP, state=State.STOPPING, stop_reason=StopReason.LOST, not_before=after_noon(0.5), version=9)
WORKER = WorkerRecord(
    0, WorkerPhase.EXITED, NOON, after_noon(1.25), exit_code=-9, end=WorkerEnd.MEMORY_LIMIT, detail=STRANGE
)
REASONS: tuple[Reason, ...] = (
    TooFewFree("mixed", "h100", 4, 8, 2, 2, 16, 8, (Holder("beta", 16), Holder("alpha", 1)), LIMIT),
    NeverFits("mixed", "h100", 4, 8, 3, 8, LIMIT),
    QuotaExceeded("alpha", "h100", 4, 3, 2),
    QuotaExceeded("alpha", "fast", 4, 3, 2, QuotaCause.KEPT_BACK, ("beta",)),
    QueueIsFull("alpha", 4, "ada"),
    BackingOff(after_noon(2), 1, 3),
    NoCluster(),
    WaitsForJob("j1", Condition.ENDED),
    WaitsForArray("a1", Condition.ENDED, 3, 100),
    CannotFollow("j1", State.CANCELLED),
    CannotFollow("a1", State.FAILED, is_array=True),
    ArrayIsFull("a1", 8),
    KeptForOthers((KeptFor("j1", "beta", NOON, (("h100", 8),), ("mixed/n1",)),), 600),
    RoomIsMade(3, after_noon(9)),
    CannotServe("mixed", Mismatch.LEVEL, ("zone",), ("rack", "island")),
    TooFewFree(
        "mixed",
        None,
        4,
        0,
        2,
        2,
        0,
        0,
        (),
        LIMIT,
        RACK,
        workers_fit_anywhere=4,
        devices_reserved=8,
        role="launcher",
        nearest=NearestShape(2, 1, "node"),
        kept_apart=KeptApart(RACK, 2, 3),
    ),
    NeverFits("mixed", None, 4, 0, 3, 0, LIMIT, level=RACK, role="launcher", nearest=NearestShape(1, 1, "cluster")),
)
RANKS = (
    take("n1", 0, 1),
    take("n2", 7, rank=1, chip="mi300x"),
    take_share("n1", 5, 250, 1_024, rank=2),
    take_counted("n3", 4, rank=3),
    replace(take_no_devices("n1", rank=4), pods=16),
)
NODE = make_node(
    "n1",
    {"h100": 8, "mi300x": 4},
    state=NodeState.SUSPECT,
    tenant="alpha",
    foreign=ForeignUse((("h100", 2),), cpu_milli=1, memory_mib=2, pods=3),
)
PROMISE = Promise(
    GROUP.id,
    after_noon(0.123456),
    after_noon(9.5),
    (NodeRoom("mixed/n1", (("h100", 8), ("mi300x", 1)), 1, 2, 3), NodeRoom("mixed/n2", pods=1)),
    (AwaitedEnd("a", after_noon(0.1), Basis.LEARNT, (NodeRoom("mixed/n1", (("h100", 4),), -1),)),),
)
BODIES: dict[str, ChangeBody] = {
    "job-submitted": JobSubmitted(replace(JOB, settled=(("j1", State.FAILED),)), (GROUP,)),
    "stop-wished": StopWished(JOB.id, STRANGE),
    "replicas-wished": ReplicasWished(JOB.id, 3, STRANGE, (GROUP,)),
    "job-revised": JobRevised(JOB.id, JOB.spec, 2, STRANGE),
    "priority-changed": PriorityChanged(JOB.id, -7, STRANGE),
    "workers-wished": WorkersWished(JOB.id, 3, STRANGE),
    "group-resized": GroupResized(
        GROUP,
        "a",
        2,
        tuple(replace(one, since=2, number=7) for one in RANKS[:2]),
        ResizeCause.LOAN,
        given_to=GivenTo("b-g0", STRANGE, EvictionCause.LOAN, 2, -1, 500),
    ),
    "resize-advanced": ResizeAdvanced("a", 2, ResizeStep.FREED),
    "group-placed": GroupPlaced(GROUP, "a", RANKS, tuple(make_note(rank) for rank in RANKS)),
    "group-moved": GroupMoved(STOPPED, "a", (WORKER,), REASONS, STRANGE),
    "workers-noted": WorkersNoted("a", (WorkerRemark(0, STRANGE, NOON), WorkerRemark(None, "", after_noon(0.25)))),
    "progress-reported": ProgressReported("a", Progress(1, 2, 0.1 + 0.2, 1e300, NOON)),
    "checkpoint-saved": CheckpointSaved("a", Checkpoint(40, after_noon(0.25))),
    "cluster-seen": ClusterSeen(Cluster("mixed", "kubernetes", binds_devices=False, enforces_shares=False)),
    "node-seen": NodeSeen(NODE),
    "tenant-created": TenantCreated("alpha"),
    "reservation-made": ReservationMade(PROMISE),
    "reservation-dropped": ReservationDropped(GROUP.id, DropReason.OVERDUE),
    "speeds-changed": SpeedsChanged(
        (Speed(JobFamily("alpha", "bert"), "h100", 320.0, is_set=True), Speed(JobFamily("alpha", "bert"), "t4", None))
    ),
    "profiles-changed": ProfilesChanged(
        (
            LayerSpeed(
                JobFamily("alpha", "llama"), ProfileKey("h100", 8, 2), LayerProfile(0.1 + 0.2, 1e-9, head_s=0.0)
            ),
            LayerSpeed(JobFamily("alpha", "llama"), ProfileKey("t4", 1, 1), None),
        )
    ),
    "queue-set": QueueSet(Queue("train", "org", "alpha", 3, QueueCaps(1, 2, 3, 4))),
    "queue-removed": QueueRemoved("train"),
    "queue-quota-set": QueueQuotaSet(QueueQuota("alpha", "h100", 1, 4, 2, 0)),
    "queue-quota-lifted": QueueQuotaLifted("alpha", "h100"),
    "chip-group-set": ChipGroupSet(ChipGroup("fast", ("h100", "h200"))),
    "chip-group-removed": ChipGroupRemoved("fast"),
    "chip-defined": ChipDefined(make_chip("h100", measured_tflops=None, link=None)),
}


@pytest.mark.parametrize(
    ("kind", "text", "want"),
    [
        (
            "quota-set",
            '{"quota":{"tenant":"alpha","chip":"h100","devices":4}}',
            QueueQuotaSet(QueueQuota("alpha", "h100", limit=4)),
        ),
        ("quota-lifted", '{"tenant":"alpha","chip":"h100"}', QueueQuotaLifted("alpha", "h100")),
    ],
)
def test_what_was_kept_before_there_were_queues_is_read_as_what_it_means_today(
    kind: str, text: str, want: ChangeBody
) -> None:
    assert decode_body(kind, text) == want


@pytest.mark.parametrize("spec", [SPEC, OTHER_SPEC])
def test_a_specification_comes_out_as_it_went_in(spec: JobSpec) -> None:
    assert JOB_SPEC.decode(JOB_SPEC.encode(spec)) == spec


@pytest.mark.parametrize("want_kind", BODIES)
def test_a_change_comes_out_as_it_went_in_under_its_kind(want_kind: str) -> None:
    kind, text = encode_body(BODIES[want_kind])
    decoded = decode_body(kind, text)
    assert kind == want_kind
    assert decoded == BODIES[want_kind]
    assert type(decoded) is type(BODIES[want_kind])


def test_every_kind_of_change_is_tried_above() -> None:
    assert {type(body) for body in BODIES.values()} == set(get_args(ChangeBody))
    assert {type(body): kind for kind, body in BODIES.items()} == KIND_OF


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_stays_of_its_type(reason: Reason) -> None:
    body = GroupMoved(GROUP, None, reasons=(reason,))
    decoded = decode_body(*encode_body(body))
    assert isinstance(decoded, GroupMoved)
    assert [type(each) for each in decoded.reasons] == [type(reason)]


def test_every_kind_of_reason_is_tried_above() -> None:
    assert {type(reason) for reason in REASONS} == set(get_args(Reason))


def test_smaller_parts_come_out_as_they_went_in() -> None:
    topology = Topology((("rack", "r1"), ("zone", STRANGE)))
    assert TOPOLOGY.decode(TOPOLOGY.encode(topology)) == topology
    notes = (make_note(take("n1", 0)),)
    assert NOTES.decode(NOTES.encode(notes)) == notes
    assert PAIRS.decode(PAIRS.encode((("b", STRANGE), ("a", "")))) == (("b", STRANGE), ("a", ""))
    assert FOREIGN_USE.decode(FOREIGN_USE.encode(NODE.foreign)) == NODE.foreign
    assert FOREIGN_USE.decode("{}") == NO_FOREIGN_USE, "as nodes have it that were kept before others were counted"
    assert SLOTS.decode(SLOTS.encode((7, 0))) == (7, 0)
    assert WORDS.decode(WORDS.encode(())) == ()


def test_a_specification_that_was_kept_before_jobs_had_images_is_read() -> None:
    kept = json.loads(JOB_SPEC.encode(SPEC))
    for later in ("image", "shared_memory_mib", "volumes", "secrets", "objecting_clusters"):
        del kept[later]
    for later in ("choice", "alternatives", "roles", "closeness", "spread", "apart", "exclusive", "node_labels"):
        del kept[later]
    del kept["shape"]["share_milli"], kept["shape"]["share_memory_mib"]
    assert JOB_SPEC.decode(json.dumps(kept)) == SPEC


def test_a_node_and_a_worker_that_were_told_of_before_they_had_notes_are_read() -> None:
    kind, text = encode_body(NodeSeen(make_node("n1")))
    body = json.loads(text)
    del body["node"]["note"]
    assert decode_body(kind, json.dumps(body)) == NodeSeen(make_node("n1"))
    kind, text = encode_body(GroupMoved(STOPPED, "a", (replace(WORKER, detail=None),)))
    body = json.loads(text)
    del body["workers"][0]["detail"]
    assert decode_body(kind, json.dumps(body)) == GroupMoved(STOPPED, "a", (replace(WORKER, detail=None),))


def test_what_was_told_before_there_were_shares_is_read() -> None:
    ranks = RANKS[:2]
    placed = GroupPlaced(GROUP, "a", ranks, tuple(make_note(rank) for rank in ranks))
    kind, text = encode_body(placed)
    body = json.loads(text)
    for rank in body["allocations"]:
        for later in ("counted", "share_milli", "share_memory_mib", "pods", "role"):
            del rank[later]
    assert decode_body(kind, json.dumps(body)) == placed
    kind, text = encode_body(NodeSeen(make_node("n1")))
    body = json.loads(text)
    del body["node"]["tenant"], body["node"]["foreign"]
    assert decode_body(kind, json.dumps(body)) == NodeSeen(make_node("n1"))
    assert decode_body("cluster-seen", '{"cluster": {"name": "c", "kind": "local"}}') == ClusterSeen(
        Cluster("c", "local")
    )


def test_what_clusters_say_is_made_storable() -> None:
    assert storable("a\0b\ud800c", 99) == "a\ufffdb?c"
    assert storable("abc", 2) == "ab"


def test_a_text_that_is_no_such_value_is_refused() -> None:
    with pytest.raises(ValueError, match="JobSpec"):
        JOB_SPEC.decode('{"name": "half"}')
