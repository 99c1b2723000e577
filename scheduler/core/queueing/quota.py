"""Whether a queue may hold what is asked for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from scheduler.core.model.reason import QuotaExceeded
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import COMPUTE, ContradictoryQuota, QuotaCause
from scheduler.core.queueing.tree import QueueTree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.sharing.queue import ChipGroup, QueueName, QueueQuota, ResourceName

    Asked = tuple[tuple[ChipName, int], ...]
    """Thousandths of devices, each chip type once; and what they are of COMPUTE, in thousandths of units."""
    FreeMilli = Callable[[ChipName], int]
    """How many thousandths of devices of a chip type nobody holds that could be held; or what all are of COMPUTE."""
    Weights = Mapping[ChipName, int]
    """How many units of a resource one device is."""

MOST_KEEPERS_TOLD = 5
MOST_KNOWN = 65_536
"""Of so many different wants it is remembered what limits them."""


class Uses(Protocol):
    """What queues hold."""

    def held_by(self, queue: QueueName) -> Mapping[ChipName, int]:
        """Return what a queue holds with all that is in it, in thousandths: devices by chip type, and COMPUTE."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What a queue may have of one resource, with all that is in it."""

    quota: QueueQuota
    weights: Weights
    most_milli: int | None
    """The most it may hold, in thousandths of units; None: no limit."""

    def exceeded(self, used: int, asked: int) -> QuotaExceeded:
        """Return that it may not hold so many thousandths more; one that has a limit."""
        quota, most = self.quota, (self.most_milli or 0) // WHOLE_DEVICE_MILLI
        cause = QuotaCause.LIMIT if most == quota.limit else QuotaCause.BORROWING
        return QuotaExceeded(quota.queue, quota.resource, most, _whole(used), _whole(asked), cause)


class QuotaBook:
    """All quotas of a tree of queues, by whom they concern. Immutable; what it remembers follows from them."""

    def __init__(
        self,
        tree: QueueTree | None = None,
        quotas: Iterable[QueueQuota] = (),
        groups: Iterable[ChipGroup] = (),
        rates: Mapping[ChipName, int] = MappingProxyType({}),
    ) -> None:
        """`rates` are the units of COMPUTE that one device of each chip type is worth, whoever's job it is for.

        A quota of no known queue is kept.
        """
        self.tree = QueueTree() if tree is None else tree
        self._groups = {group.name: MappingProxyType(dict.fromkeys(group.chips, 1)) for group in groups}
        self.rates = rates
        self._rules: dict[QueueName, list[Rule]] = {}
        self._limiting: dict[QueueName, dict[ChipName, list[Rule]]] = {}
        """Those that have a limit, by the chip types that they count."""
        self._keepers: dict[ResourceName, dict[QueueName, QueueQuota]] = {}
        for quota in sorted(quotas, key=lambda quota: (quota.queue, quota.resource)):
            most_milli = None if quota.most is None else quota.most * WHOLE_DEVICE_MILLI
            rule = Rule(quota, self.weights(quota.resource), most_milli)
            self._rules.setdefault(quota.queue, []).append(rule)
            for chip in rule.weights if most_milli is not None else ():
                self._limiting.setdefault(quota.queue, {}).setdefault(chip, []).append(rule)
            if quota.kept_back:
                self._keepers.setdefault(quota.resource, {})[quota.queue] = quota
        self._limits: dict[tuple[QueueName, Asked], tuple[tuple[Rule, int], ...]] = {}
        self.has_guarantees = any(rule.quota.guaranteed for rules in self._rules.values() for rule in rules)
        """Whether something is guaranteed to some queue."""

    def weights(self, resource: ResourceName) -> Weights:
        """Return what a resource counts of what is held, and for how much: COMPUTE counts what was charged as such."""
        return self._groups.get(resource) or MappingProxyType({resource: 1})

    def worth(self, resource: ResourceName) -> Weights:
        """Return the chip types that a resource is made of, and how much of it one device is."""
        return self.rates if resource == COMPUTE else self.weights(resource)

    def path(self, queue: QueueName) -> tuple[QueueName, ...]:
        """Return a queue and those that it is in, itself first; one that nobody knows is in none."""
        return self.tree.paths.get(queue) or (queue,)

    def rules_of(self, queue: QueueName) -> Sequence[Rule]:
        """Return the quotas of one queue, by resource."""
        return self._rules.get(queue, ())

    def rules_on_path(self, queue: QueueName) -> tuple[Rule, ...]:
        """Return the quotas of a queue and of those that it is in, its own first."""
        return tuple(rule for name in self.path(queue) for rule in self.rules_of(name))

    def limits_for(self, queue: QueueName, devices_milli: Asked) -> tuple[tuple[Rule, int], ...]:
        """Return those of them that limit what is asked for, with how much of it is asked, in thousandths of units."""
        found = self._limits.get((queue, devices_milli))
        if found is None:
            if len(self._limits) >= MOST_KNOWN:
                self._limits.clear()
            found = self._limits[queue, devices_milli] = tuple(self._limits_on_path(queue, devices_milli))
        return found

    def _limits_on_path(self, queue: QueueName, devices_milli: Asked) -> Iterator[tuple[Rule, int]]:
        for name in self.path(queue):
            by_chip = self._limiting.get(name)
            if by_chip is None:
                continue
            rules = [rule for chip, _ in devices_milli for rule in by_chip.get(chip, ())]
            if len(rules) > 1:
                rules = sorted(set(rules), key=lambda rule: rule.quota.resource)
            for rule in rules:
                asked = _amount(devices_milli, rule.weights)
                if asked:
                    yield rule, asked

    @property
    def kept_resources(self) -> Collection[ResourceName]:
        """The resources of which some queue keeps back what it does not use."""
        return self._keepers

    def kept_milli(self, resource: ResourceName) -> int:
        """Return how much of a resource is kept back while nobody uses any of it, in thousandths."""
        return sum(quota.kept_back for quota in self.keepers(resource).values()) * WHOLE_DEVICE_MILLI

    def keepers(self, resource: ResourceName) -> Mapping[QueueName, QueueQuota]:
        """Return the quotas of a resource by which something is kept back, by queue."""
        return self._keepers.get(resource, {})


def over_quota(
    book: QuotaBook, uses: Uses, *, queue: QueueName, devices_milli: Asked, free: FreeMilli
) -> tuple[QuotaExceeded, ...]:
    """Return one reason for every quota that what is asked, with what is held now, would pass.

    Each queue on the way to the root counts: those that it is in hold what it holds.
    """
    reasons: list[QuotaExceeded] = []
    for rule, asked in book.limits_for(queue, devices_milli):
        used = used_milli(uses, rule.quota.queue, rule.weights)
        if rule.most_milli is not None and used + asked > rule.most_milli:
            reasons.append(rule.exceeded(used, asked))
    for resource in book.kept_resources:
        reasons += _kept_back(book, uses, queue, (resource, devices_milli), free)
    return tuple(reasons)


def by_measure(
    reasons: Iterable[QuotaExceeded], measured: tuple[tuple[ChipName, int], ...]
) -> tuple[QuotaExceeded, ...]:
    """Return reasons that say which figures of COMPUTE were measured of the job's family, where any were."""
    return tuple(replace(one, measured=measured) if measured and one.resource == COMPUTE else one for one in reasons)


def used_milli(uses: Uses, queue: QueueName, weights: Weights) -> int:
    """Return what a queue holds of a resource with all that is in it, in thousandths."""
    held = uses.held_by(queue)
    if len(weights) > len(held):
        return _amount(held.items(), weights)
    used = 0
    for chip, weight in weights.items():
        milli = held.get(chip)
        if milli is not None:
            used += milli * weight
    return used


def _kept_back(
    book: QuotaBook, uses: Uses, queue: QueueName, wanted: tuple[ResourceName, Asked], free: FreeMilli
) -> Iterator[QuotaExceeded]:
    """Yield why a queue may not take what others keep back of a resource, where it is not its own guaranteed share."""
    resource, devices_milli = wanted
    weights = book.weights(resource)
    asked = _amount(devices_milli, weights)
    if not asked:
        return
    left = sum(free(chip) * weight for chip, weight in weights.items())
    if asked <= left - book.kept_milli(resource):
        return  # enough for all who keep back, whatever they use
    kept = dict(_kept_from(book, uses, queue, resource, asked))
    left -= sum(kept.values())
    if kept and asked > left:
        used = used_milli(uses, queue, weights)
        limit = max(0, used + left) // WHOLE_DEVICE_MILLI
        others = tuple(sorted(kept, key=lambda name: (-kept[name], name))[:MOST_KEEPERS_TOLD])
        yield QuotaExceeded(queue, resource, limit, _whole(used), _whole(asked), QuotaCause.KEPT_BACK, others)


def _kept_from(
    book: QuotaBook, uses: Uses, queue: QueueName, resource: ResourceName, asked: int
) -> Iterator[tuple[QueueName, int]]:
    """Yield the queues that keep something back from one, and how much of it they do not use, in thousandths.

    What a queue on the way takes within its own guaranteed share, it takes from nobody outside. Where queues within
    each other keep back, the outermost one speaks for those in it.
    """
    path, weights = book.path(queue), book.weights(resource)
    within = _outermost_own(book, uses, path, resource, asked)
    found: dict[QueueName, int] = {}
    for name, quota in book.keepers(resource).items():
        if name not in path and (within is None or within in book.path(name)):
            unused = quota.kept_back * WHOLE_DEVICE_MILLI - used_milli(uses, name, weights)
            if unused > 0:
                found[name] = unused
    for name, unused in found.items():
        if not any(outer in found for outer in book.path(name)[1:]):
            yield name, unused


def _outermost_own(
    book: QuotaBook, uses: Uses, path: Sequence[QueueName], resource: ResourceName, asked: int
) -> QueueName | None:
    """Return the first queue on the way that stays within its guaranteed share, None where none does."""
    for name in path:
        for rule in book.rules_of(name):
            if rule.quota.resource == resource:
                guaranteed = rule.quota.guaranteed * WHOLE_DEVICE_MILLI
                if used_milli(uses, name, rule.weights) + asked <= guaranteed:
                    return name
    return None


def _amount(devices_milli: Iterable[tuple[ChipName, int]], weights: Weights) -> int:
    amount = 0
    for chip, milli in devices_milli:  # a loop, for it is asked for every gang that is looked at
        weight = weights.get(chip)
        if weight is not None:
            amount += milli * weight
    return amount


def _whole(devices_milli: int) -> int:
    return -(-devices_milli // WHOLE_DEVICE_MILLI)


class TooMuchGuaranteed(ContradictoryQuota):
    """More is guaranteed than there is."""


def check_guarantees(tree: QueueTree, quotas: Iterable[QueueQuota], *, capacity: int | None) -> None:
    """Raise ContradictoryQuota where quotas of one resource guarantee more than can be kept.

    What is guaranteed to the queues in one may not be more than it may hold, and to all of them not more than there is;
    `capacity` is that in units of the resource, None where nobody knows.
    """
    of = {quota.queue: quota for quota in quotas}
    within: dict[QueueName | None, int] = {}
    for name in sorted(tree.queues, key=lambda name: -len(tree.path(name))):
        quota, inner = of.get(name), within.get(name, 0)
        if quota is not None and quota.most is not None and inner > quota.most:
            which = "its limit of" if quota.most == quota.limit else "what is guaranteed to it and it may borrow,"
            raise ContradictoryQuota(
                f"the queues in {name} are guaranteed {inner} {quota.resource} together, more than {which} {quota.most}"
            )
        parent = tree.queues[name].parent
        within[parent] = within.get(parent, 0) + max(inner, 0 if quota is None else quota.guaranteed)
    guaranteed = within.get(None, 0)
    if capacity is not None and guaranteed > capacity:
        resource = next(iter(of.values())).resource
        raise TooMuchGuaranteed(f"{guaranteed} {resource} would be guaranteed in all, and there are {capacity}")
