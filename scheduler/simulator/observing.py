"""What a simulation looked like from outside: use of devices, waiting times, what jobs came to."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from scheduler.core.deciding.parts.tally import asked_devices_milli
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change, GroupMoved, GroupPlaced, JobSubmitted, NodeSeen
from scheduler.core.model.group import HOLDING, Group, State, StopReason
from scheduler.core.model.identifiers import AttemptId, ChipName, GroupId, NodeId, TenantName
from scheduler.core.model.node import TAKES_WORK, Node
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.simulator.meters import Meter
from scheduler.simulator.stepping.engine import START, Setting

_SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Gang:
    """A group that is not over."""

    tenant: TenantName
    devices: float
    """That it asks for, in whole devices."""
    since_s: int
    started_s: int | None = None
    """When it was first placed."""


@dataclass(frozen=True, slots=True)
class Waited:
    """How long a group waited for its first place."""

    tenant: TenantName
    devices: float
    wait_s: int
    has_started: bool = True
    """If not, it waits still: for so long at least."""


@dataclass(slots=True)
class Counts:
    """How often what happened."""

    ended: Counter[State] = field(default_factory=Counter)
    """Of groups, by what they came to."""
    refused: int = 0
    """Of those that failed: that could never have run."""
    stopped: Counter[StopReason] = field(default_factory=Counter)
    """Of attempts, by why they were stopped."""
    placed: int = 0
    """Of attempts."""


class Observer:
    """Follows the changes of a simulation."""

    def __init__(self, setting: Setting) -> None:
        self.counts = Counts()
        self.waited: list[Waited] = []
        """Of those that had a place."""
        self.finished_s: list[int] = []
        """From submission to success."""
        self.gangs: dict[GroupId, Gang] = {}
        self.held: dict[ChipName, Meter] = {}
        """Devices of which something is held, by chip type."""
        self.capacity: dict[ChipName, Meter] = {}
        """Devices of nodes that take work."""
        self.held_by: dict[TenantName, Meter] = {}
        self.waiting = Meter()
        """Groups that wait."""
        self.asked_for = Meter()
        """Devices that they ask for."""
        self._holds: dict[AttemptId, tuple[TenantName, tuple[tuple[ChipName, float], ...]]] = {}
        self._usable: dict[NodeId, tuple[tuple[ChipName, int], ...]] = {}
        for node in setting.nodes:
            self._see(node, 0)

    def follow(self, change: Change, state: SchedulerState) -> None:
        """Take in a change."""
        body = change.body
        at_s = (change.at - START) // _SECOND
        if isinstance(body, GroupMoved):
            self._move(body, at_s, state)
        elif isinstance(body, GroupPlaced):
            self._place(body, at_s)
        elif isinstance(body, JobSubmitted):
            devices = asked_devices_milli(body.job.spec) / WHOLE_DEVICE_MILLI
            for group in body.groups:
                self.gangs[group.id] = Gang(body.job.tenant, devices, at_s)
                self._wait(at_s, devices, 1)
        elif isinstance(body, NodeSeen):
            self._see(body.node, at_s)

    def finish(self, at_s: int) -> None:
        """Let the time pass until the end."""
        for meter in (self.waiting, self.asked_for, *self.held.values(), *self.capacity.values()):
            meter.pass_until(at_s)
        for meter in self.held_by.values():
            meter.pass_until(at_s)

    def waiting_still(self, at_s: int) -> list[Waited]:
        """Return who had no place by a time."""
        return [
            Waited(gang.tenant, gang.devices, at_s - gang.since_s, has_started=False)
            for gang in self.gangs.values()
            if gang.started_s is None
        ]

    def _place(self, placed: GroupPlaced, at_s: int) -> None:
        gang = self.gangs[placed.group.id]
        self.counts.placed += 1
        self._wait(at_s, gang.devices, -1)
        if gang.started_s is None:
            gang.started_s = at_s
            self.waited.append(Waited(gang.tenant, gang.devices, at_s - gang.since_s))
        held: dict[ChipName, int] = {}
        for one in placed.allocations:
            if one.chip is not None:
                held[one.chip] = held.get(one.chip, 0) + one.devices_milli
        holds = tuple((chip, milli / WHOLE_DEVICE_MILLI) for chip, milli in held.items())
        self._holds[placed.attempt] = gang.tenant, holds
        self._hold(gang.tenant, holds, at_s, 1)

    def _move(self, moved: GroupMoved, at_s: int, state: SchedulerState) -> None:
        group = moved.group
        if group.state is State.STOPPING and group.stop_reason is not None:
            self.counts.stopped[group.stop_reason] += 1
        if group.state in HOLDING:
            return
        gang = self.gangs[group.id]
        if moved.attempt is not None and moved.attempt in self._holds:
            tenant, holds = self._holds.pop(moved.attempt)
            self._hold(tenant, holds, at_s, -1)
        if group.state is State.QUEUED:
            self._wait(at_s, gang.devices, 1)
        else:
            self._end(moved, gang, at_s, state.groups.get(group.id))

    def _end(self, moved: GroupMoved, gang: Gang, at_s: int, before: Group | None) -> None:
        if before is not None and before.state is State.QUEUED:
            self._wait(at_s, gang.devices, -1)
        self.counts.ended[moved.group.state] += 1
        self.counts.refused += bool(moved.reasons)
        if moved.group.state is State.SUCCEEDED:
            self.finished_s.append(at_s - gang.since_s)
        del self.gangs[moved.group.id]

    def _wait(self, at_s: int, devices: float, sign: int) -> None:
        self.waiting.add(at_s, sign)
        self.asked_for.add(at_s, sign * devices)

    def _hold(self, tenant: TenantName, holds: tuple[tuple[ChipName, float], ...], at_s: int, sign: int) -> None:
        for chip, devices in holds:
            _meter(self.held, chip).add(at_s, sign * devices)
            _meter(self.held_by, tenant).add(at_s, sign * devices)

    def _see(self, node: Node, at_s: int) -> None:
        for chip, count in self._usable.pop(node.id, ()):
            self.capacity[chip].add(at_s, -count)
        if node.state in TAKES_WORK:
            usable = self._usable[node.id] = tuple((group.chip, group.count) for group in node.devices)
            for chip, count in usable:
                _meter(self.capacity, chip).add(at_s, count)


def _meter(meters: dict[str, Meter], name: str) -> Meter:
    meter = meters.get(name)
    if meter is None:
        meter = meters[name] = Meter()
    return meter
