"""Whether a gang has a place in a tiny cluster, found by trying every seat for every worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.model.node import TAKES_WORK, Node, NodeState
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.topology import CLUSTER, NODE
from tests.oracle.checks import rest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.job import Job, Option, Part

Device = tuple[str, int, int]
"""Of a chip type, with compute and memory left."""


@dataclass(frozen=True)
class Seats:
    """What a node has left. A value, so that what was tried can be remembered."""

    free: tuple[tuple[str, int, int], ...]
    """Chip type, whole devices, memory of one."""
    shared: tuple[Device, ...]
    cpu_milli: int
    memory_mib: int
    pods: int

    def after(self, part: Part) -> Iterator[Seats]:
        """Yield what may be left once one worker of a part sits there; nothing where it cannot."""
        shape = part.shape
        rest = (self.cpu_milli - shape.cpu_milli, self.memory_mib - shape.memory_mib, self.pods - 1)
        if self.pods < 1 or (shape.cpu_milli and rest[0] < 0) or (shape.memory_mib and rest[1] < 0):
            return
        if not shape.devices_milli:
            yield Seats(self.free, self.shared, *rest)
        for at, (chip, count, memory_mib) in enumerate(self.free):
            if chip != part.chip:
                continue
            if shape.devices and count >= shape.devices:
                yield Seats(self._with(at, count - shape.devices), self.shared, *rest)
            if shape.share_milli and count > 0 and memory_mib >= shape.share_memory_mib:
                opened = (chip, WHOLE_DEVICE_MILLI - shape.share_milli, memory_mib - shape.share_memory_mib)
                yield Seats(self._with(at, count - 1), tuple(sorted((*self.shared, opened))), *rest)
        for device in set(self.shared) if shape.share_milli else ():
            chip, milli, memory_mib = device
            if chip == part.chip and milli >= shape.share_milli and memory_mib >= shape.share_memory_mib:
                others = list(self.shared)
                others.remove(device)
                left = (chip, milli - shape.share_milli, memory_mib - shape.share_memory_mib)
                yield Seats(self.free, tuple(sorted((*others, left))), *rest)

    def _with(self, at: int, count: int) -> tuple[tuple[str, int, int], ...]:
        chip, _, memory_mib = self.free[at]
        return (*self.free[:at], (chip, count, memory_mib), *self.free[at + 1 :])


@dataclass(frozen=True)
class Fleet:
    """Nodes and what is held on them."""

    nodes: Sequence[Node]
    held: Sequence[Allocation]

    def has_place(self, job: Job, option: Option, *, avoided: Iterable[str] = ()) -> bool:
        """Say whether one cluster has room for the whole gang as the job wishes, beside the nodes it avoids."""
        return any(
            self._seats_all(job, option, scope)
            for cluster in sorted({node.cluster for node in self.nodes} - set(job.spec.objecting_clusters))
            for scope in self.scopes(job, option, cluster, set(avoided))
        )

    def scopes(self, job: Job, option: Option, cluster: str, avoided: set[str]) -> list[list[Node]]:
        """Return the sets of nodes that are near enough to each other, and may be used."""
        spec = job.spec
        present = [node for node in self.nodes if node.cluster == cluster and node.state is not NodeState.GONE]
        levels = (NODE, *levels_of(present), CLUSTER)
        wishes = (spec.spread, spec.apart)
        if any(wish is not None and wish.level not in levels for wish in wishes):
            return []
        required = spec.closeness.required or CLUSTER
        if required not in levels:
            return []
        usable = self.usable(job, present, avoided)
        is_alone = len(option) == 1 and (spec.spread is None or spec.spread.level == NODE)
        near = levels[: levels.index(required) + 1] if is_alone else [required]
        scopes: dict[object, list[Node]] = {}
        for node in usable:
            for level in near:
                place = domain_of(node, level)
                if place is not None:
                    scopes.setdefault((level, place), []).append(node)
        return list(scopes.values())

    def usable(self, job: Job, present: Sequence[Node], avoided: set[str]) -> list[Node]:
        """Return the nodes on which workers of a job may be at all."""
        spec = job.spec
        closed = set()
        if spec.apart is not None:
            closed = {domain_of(node, spec.apart.level) for node in present if node.id in avoided} - {None}
        return [
            node
            for node in present
            if node.state in TAKES_WORK
            and node.tenant in (None, job.tenant)
            and set(spec.node_labels) <= set(node.labels)
            and not (spec.apart is not None and (node.id in avoided or domain_of(node, spec.apart.level) in closed))
            and not (spec.exclusive and not rest_of(node, self._on(node)).is_untouched)
        ]

    def seats(self, node: Node) -> Seats:
        """Return what a node has left."""
        rest = rest_of(node, self._on(node))
        shared = [
            (group.chip, *left)
            for group in node.devices
            for slot, left in rest.shared.items()
            if slot in node.slots(group.chip)
        ]
        free = tuple((group.chip, rest.free[group.chip], group.memory_mib) for group in node.devices)
        return Seats(free, tuple(sorted(shared)), rest.cpu_milli, rest.memory_mib, rest.pods)

    def _on(self, node: Node) -> list[Allocation]:
        return [one for one in self.held if one.node == node.id]

    def _seats_all(self, job: Job, option: Option, nodes: Sequence[Node]) -> bool:
        search = _Search(job, option, nodes)
        return search.seats_from(0, tuple(self.seats(node) for node in nodes), (-1,) * len(nodes), ())


class _Search:
    """Tries every seat for every worker, each position once."""

    def __init__(self, job: Job, option: Option, nodes: Sequence[Node]) -> None:
        self._workers = [number for number, part in enumerate(option) for _ in range(part.workers)]
        self._option = option
        self._is_exclusive = job.spec.exclusive
        self._spread = job.spec.spread
        self._domains = [None if self._spread is None else domain_of(node, self._spread.level) for node in nodes]
        self._failed: set[object] = set()

    def seats_from(self, at: int, seats: tuple[Seats, ...], owners: tuple[int, ...], taken: tuple[str, ...]) -> bool:
        """Say whether the workers from one on have seats; `owners` are the parts that sit on exclusive nodes."""
        if at == len(self._workers):
            return True
        position = (at, seats, owners, taken)
        if position in self._failed:
            return False
        number = self._workers[at]
        for place, (left, domain) in enumerate(zip(seats, self._domains, strict=True)):
            if self._is_exclusive and owners[place] not in (-1, number):
                continue
            now = taken
            if self._spread is not None:
                if domain is None or taken.count(domain) >= self._spread.most:
                    continue
                now = tuple(sorted((*taken, domain)))
            owned = (*owners[:place], number, *owners[place + 1 :]) if self._is_exclusive else owners
            for after in left.after(self._option[number]):
                if self.seats_from(at + 1, (*seats[:place], after, *seats[place + 1 :]), owned, now):
                    return True
        self._failed.add(position)
        return False


def levels_of(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Return the levels that nodes name, the smallest first: the longest list says the order."""
    lists = sorted(
        {tuple(level for level, _ in node.topology.domains) for node in nodes}, key=lambda one: (-len(one), one)
    )
    return tuple(dict.fromkeys(level for levels in lists for level in levels))


def domain_of(node: Node, level: str) -> str | None:
    """Return a domain of a node, named with all that it is in; None where the node names none."""
    if level == NODE:
        return node.id
    if level == CLUSTER:
        return node.cluster
    names = [name for name, _ in node.topology.domains]
    return repr(node.topology.domains[names.index(level) :]) if level in names else None
