"""What each queue has of the cluster, now and lately, by its weight: who has least of what it is due is next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.queueing.decay import DEFAULT_HALF_LIFE_S, HELD_NOW, DecayedAverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from scheduler.core.deciding.parts.sharing import Sharing
    from scheduler.core.deciding.parts.tally import CapacityCount, Tally
    from scheduler.core.ledger.use_counts import UseCounts
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.sharing.queue import QueueName

    Capacity = Mapping[ChipName, int]
    """Thousandths of devices that there are of each chip type."""


class ShareMade(NamedTuple):
    """What a queue's share is made of: of the chip type of which it has most, as parts of what there is, 0 to 1."""

    share: float
    """By its weight it is compared with its siblings'."""
    chip: ChipName | None = None
    """None: it has nothing of anything there is, neither now nor lately."""
    held: float = 0.0
    """Now, by all in it."""
    recent: float = 0.0
    """Lately: the decaying average; 0 where only what is held now counts."""


NOTHING_HAD = ShareMade(0.0)


class HasQueues(Protocol):
    """The tree of queues, and what is held in them."""

    def path(self, name: QueueName) -> tuple[QueueName, ...]:
        """Return a queue and those that it is in, itself first."""
        ...

    def children(self, name: QueueName) -> Sequence[QueueName]:
        """Return the queues directly in one."""
        ...

    def weight(self, name: QueueName) -> int:
        """Return what a queue counts against its siblings."""
        ...

    def held_by(self, name: QueueName) -> Mapping[ChipName, int]:
        """Return the thousandths of devices that a queue holds with all that is in it, by chip type."""
        ...


class Queues:
    """Those of a state; one that nobody knows is alone at the top."""

    def __init__(self, sharing: Sharing, uses: UseCounts) -> None:
        self._sharing = sharing
        self.held_by = uses.held_by

    def path(self, name: QueueName) -> tuple[QueueName, ...]:
        """Return a queue and those that it is in, itself first."""
        return self._sharing.tree.paths.get(name) or (name,)

    def children(self, name: QueueName) -> Sequence[QueueName]:
        """Return the queues directly in one."""
        return self._sharing.tree.children(name)

    def weight(self, name: QueueName) -> int:
        """Return what a queue counts against its siblings."""
        known = self._sharing.tree.queues.get(name)
        return 1 if known is None else known.weight


class Shares:
    """Shares of queues. What was held lately follows what happens; what is held now is read when it is asked for."""

    def __init__(self, queues: HasQueues, half_life_s: float = DEFAULT_HALF_LIFE_S) -> None:
        self.queues = queues
        self.half_life_s = half_life_s
        """After so long what was held counts half; 0: only what is held now counts."""
        self._lately: dict[QueueName, dict[ChipName, DecayedAverage]] = {}
        """Of what is directly in each queue: so queues may be moved within the tree."""
        self._known: dict[QueueName, tuple[datetime, Mapping[ChipName, int], Capacity, float]] = {}
        """Shares as they were worked out last: when, with what was held then, and what there was."""
        self._there: tuple[int, Capacity] | None = None
        """What there is, with the version of the tally that says so."""

    def recall(self, lately: Iterable[tuple[QueueName, ChipName, float]], at: datetime) -> None:
        """Take in what queues held on average up to a moment, in thousandths of devices."""
        self._known.clear()
        for queue, chip, average in lately:
            held = self._own(queue).get(chip, 0)
            self._lately.setdefault(queue, {})[chip] = DecayedAverage(average, held, at)

    def note(self, queue: QueueName, chips: Iterable[ChipName], at: datetime) -> None:
        """Take note that a queue holds more or less of some chip types than before, from a moment on."""
        if not self.half_life_s:
            return
        for name in self.queues.path(queue):
            self._known.pop(name, None)
        own, of = self._own(queue), self._lately.setdefault(queue, {})
        for chip in chips:
            held, before = own.get(chip, 0), of.get(chip)
            of[chip] = DecayedAverage(0.0, held, at) if before is None else before.step(held, at, self.half_life_s)

    def capacity(self, tally: Tally) -> Capacity:
        """Return what there is of each chip type, in thousandths of devices; the same object while nothing changes."""
        if self._there is None or self._there[0] != tally.version:
            self._there = tally.version, capacity_of(tally.capacity())
        return self._there[1]

    def share(self, queue: QueueName, capacity: Capacity, now: datetime) -> float:
        """Return what a queue with all in it has of the chip type of which it has most, now and lately.

        What was held lately is that of the minute's beginning: it is worked out once a minute for each queue.
        """
        minute, held = now.replace(second=0, microsecond=0), self.queues.held_by(queue)
        known = self._known.get(queue)
        is_known = known is not None and known[0] == minute and known[1] == held
        if known is not None and is_known and (known[2] is capacity or known[2] == capacity):
            return known[3]
        share = self._largest(held, self._all_in(queue), capacity, minute).share
        self._known[queue] = (minute, dict(held), capacity, share)
        return share

    def made_of(self, queue: QueueName, capacity: Capacity, now: datetime) -> ShareMade:
        """Return what `share` is made of at the same moment."""
        minute = now.replace(second=0, microsecond=0)
        return self._largest(self.queues.held_by(queue), self._all_in(queue), capacity, minute)

    def own_share(self, queue: QueueName, capacity: Capacity, now: datetime) -> float:
        """Return the same of what is directly in a queue."""
        return self._largest(self._own(queue), (queue,), capacity, now).share

    def _own(self, queue: QueueName) -> Mapping[ChipName, int]:
        held, children = self.queues.held_by(queue), self.queues.children(queue)
        if not children:
            return held
        within = [self.queues.held_by(child) for child in children]
        return {chip: milli - sum(each.get(chip, 0) for each in within) for chip, milli in held.items()}

    def _all_in(self, queue: QueueName) -> Iterator[QueueName]:
        yield queue
        for child in self.queues.children(queue):
            yield from self._all_in(child)

    def _largest(
        self, held: Mapping[ChipName, int], queues: Iterable[QueueName], capacity: Capacity, now: datetime
    ) -> ShareMade:
        recent = self._recent(queues, now) if self.half_life_s else {}
        now_counts = HELD_NOW if self.half_life_s else 1.0
        largest = NOTHING_HAD
        for chip, there in capacity.items():
            if chip in held or chip in recent:
                now_milli, recent_milli = held.get(chip, 0), recent.get(chip, 0.0)
                share = (now_counts * now_milli + (1.0 - now_counts) * recent_milli) / there
                if share > largest.share:
                    largest = ShareMade(share, chip, now_milli / there, recent_milli / there)
        return largest

    def _recent(self, queues: Iterable[QueueName], now: datetime) -> Mapping[ChipName, float]:
        """Return what queues held on average lately, in thousandths of devices."""
        sums: dict[ChipName, float] = {}
        for queue in queues:
            for chip, lately in self._lately.get(queue, {}).items():
                sums[chip] = sums.get(chip, 0.0) + lately.value(now, self.half_life_s)
        return sums


def capacity_of(counts: Iterable[CapacityCount]) -> Capacity:
    """Return what there is of each chip type in all clusters, less what others use; where there is none, one device.

    Nodes that take nothing new count too: a drain is no reason for a tenant to be due less.
    """
    found: dict[ChipName, int] = {}
    for count in counts:
        found[count.chip] = found.get(count.chip, 0) + (count.usable + count.unusable) * WHOLE_DEVICE_MILLI
    return {chip: max(milli, WHOLE_DEVICE_MILLI) for chip, milli in sorted(found.items())}
