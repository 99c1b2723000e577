"""The guarded counters of the database accept exactly what the ledger accepts, step by step."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from scheduler.core.ledger.changes import Hold, Overcommitted
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.job import Job
from scheduler.core.model.node import ForeignUse, Node, NodeState
from scheduler.ports.journal import Rejection, Written
from scheduler.services.follow_changes import state_of
from tests.builders.database import CLUSTER, NOON, PICKING_CLUSTER, World, make_node, refused

STEPS = 400
CHIPS = ("h100", "mi300x")
TENANTS = ("alpha", "beta")
NAMES = ("n1", "n2", "n3")


class BothSides:
    """A database, and the state of a scheduler that follows its feed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.accepted = self.refused = 0
        snapshot = world.storage.views.snapshot()
        self.state = state_of(snapshot)
        self._seen = snapshot.change

    def follow(self) -> None:
        """Take in what is new in the feed."""
        for change in self.world.storage.views.changes_after(self._seen, limit=1_000):
            self.state.apply(change)
            self._seen = change.number

    def step(self) -> None:
        """Do one thing to both."""
        steps = (self.place, self.end, self.see_node, self.set_quota)
        self.random.choices(steps, (12, 5, 3, 1))[0]()
        self.follow()

    def place(self) -> None:
        """Try to place a gang, and fail where the two do not agree that it fits."""
        tenant = self.random.choice(TENANTS)
        ranks = tuple(self.rank(number) for number in range(self.random.randint(1, 3)))
        job = self.world.submit(self.world.make_job(workers=len(ranks), tenant=tenant))
        want = self.ledger_refuses(job, ranks)
        outcome = self.world.write(self.world.placing(job, *ranks))
        got = None if isinstance(outcome, Written) else refused(outcome)
        assert got is want, f"{ranks}: {outcome}"
        self.accepted += got is None
        self.refused += got is not None
        if got is not None:
            self.world.cancel(job)

    def ledger_refuses(self, job: Job, ranks: tuple[Allocation, ...]) -> Rejection | None:
        """Return why the ledger or the quota would refuse a placement, None where they would not."""
        asked: dict[str, int] = {}
        for rank in ranks:
            if rank.chip is not None:
                asked[rank.chip] = asked.get(rank.chip, 0) + rank.devices_milli
        ledger = self.state.ledger
        is_over = bool(self.state.sharing.over_quota(job.queue, tuple(asked.items())))
        try:
            with Trial(ledger) as trial:
                trial.apply(Hold("new", job.tenant, ranks))
        except Overcommitted:
            return Rejection.NO_CAPACITY
        return Rejection.OVER_QUOTA if is_over else None

    def end(self) -> None:
        """Let an attempt end."""
        live = sorted(self.state.live)
        if live:
            self.world.end(self.random.choice(live))

    def see_node(self) -> None:
        """Record a node as it may be seen next."""
        node = self.differing(self.state.ledger.node(self.random.choice(sorted(self.state.ledger.inventory.entries))))
        others = [one for one in self.present() if one.cluster == node.cluster and one.id != node.id]
        self.world.storage.directory.record_nodes(node.cluster, [*others, node], NOON)

    def present(self) -> list[Node]:
        """Return the nodes as they were last recorded."""
        ledger = self.state.ledger
        return [ledger.node(name) for name in ledger.inventory.entries]

    def differing(self, node: Node) -> Node:
        pick = self.random.choice
        changed: dict[str, object] = pick(
            [
                {"state": pick([NodeState.DRAINED, NodeState.SUSPECT, NodeState.DEGRADED])},
                {"state": NodeState.READY},
                {"state": NodeState.READY, "tenant": None, "foreign": ForeignUse()},
                {"tenant": pick(TENANTS)},
                {"foreign": ForeignUse(((pick(CHIPS), pick([1, 3])),), pick([0, 3_000]), 0, pick([0, 1]))},
                {"devices": tuple(replace(group, count=pick([2, 4, 6])) for group in node.devices)},
                {"cpu_milli": pick([4_000, 16_000]), "pods": pick([3, 8])},
            ]
        )
        return replace(node, **changed)  # type: ignore[arg-type]  # each set of fields is typed where it is made

    def set_quota(self) -> None:
        """Change what a tenant may hold."""
        self.world.set_quota(self.random.choice([4, 8, 100]), chip=self.random.choice(CHIPS), tenant="beta")

    def rank(self, number: int) -> Allocation:
        """Return what a rank may ask for: mostly something that fits, sometimes nonsense."""
        pick = self.random.choice
        cluster = pick([CLUSTER, CLUSTER, PICKING_CLUSTER])
        chip = pick(CHIPS)
        node = f"{cluster}/{pick(NAMES)}"
        whole = Allocation(number, node, chip, (), pick([0, 1_000]), pick([0, 2_000]))
        entry = self.state.ledger.inventory.entries.get(node)
        own = self.state.ledger.node(node).slots(chip) if entry is not None else range(4)
        free = [slot for slot in own if entry is None or not entry.held_mask >> slot & 1] or list(range(9))
        if self.random.random() < 0.1:
            return self.nonsense(whole, free)
        if pick([True, False, False, False, False]):
            return replace(whole, chip=None, role="launcher", pods=pick([1, 1, 3]))
        if cluster == PICKING_CLUSTER:
            return replace(whole, counted=pick([1, 2, 3]))
        if pick([True, False]):
            slot = pick([*self.shared_slots(node), free[0]])
            return replace(whole, slots=(slot,), share_milli=pick([100, 400, 700]), share_memory_mib=pick([0, 30_000]))
        return replace(whole, slots=tuple(sorted(self.random.sample(free, pick([1, min(2, len(free))])))))

    def nonsense(self, whole: Allocation, free: list[int]) -> Allocation:
        """Return what no placement would ask for."""
        return self.random.choice(
            [
                replace(whole, slots=(free[0],)),
                replace(whole, counted=1),
                replace(whole, chip=None, slots=(free[0],)),
                replace(whole, chip=None, counted=1),
                replace(whole, share_milli=300),
                replace(whole, slots=(0, 1), share_milli=300),
                replace(whole, slots=(free[0],), share_milli=1_001),
                replace(whole, slots=(11,)),
                replace(whole, chip="ascend-910b", slots=(free[0],)),
                replace(whole, node=f"{CLUSTER}/unknown", slots=(0,)),
            ]
        )

    def shared_slots(self, node: str) -> Iterator[int]:
        """Yield the slots of a node that are shared."""
        for live in self.state.live.values():
            for one in live.allocations:
                if one.node == node and one.share_milli:
                    yield one.slots[0]


def test_the_database_accepts_what_the_ledger_accepts_and_holds_the_same_in_the_end(world: World) -> None:
    counts = {"h100": 6, "mi300x": 4}
    usual = [make_node(name, counts, cpu_milli=16_000, pods=8) for name in NAMES]
    world.storage.directory.record_nodes(CLUSTER, usual, NOON)
    world.add_picking_cluster(*usual)
    both = BothSides(world, seed=5)
    for _ in range(STEPS):
        both.step()
    assert min(both.accepted, both.refused) > STEPS // 10
    stored = state_of(world.storage.views.snapshot())
    assert stored.ledger.digest() == both.state.ledger.digest()
    assert stored.digest() == both.state.digest()
    assert world.storage.views.capacity_errors() == []
