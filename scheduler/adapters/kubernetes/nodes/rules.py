"""Which chips a node has: by our own label, the operator's rules, the vendors' labels, in this order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scheduler.adapters.kubernetes.configuration.rules import ChipRule, ChipRules
from scheduler.adapters.kubernetes.nodes.vendors import (
    BY_RESOURCE,
    DISCOVERIES,
    may_be_accelerator,
    memory_mib_of,
    sharing,
)
from scheduler.adapters.kubernetes.views import NodeView
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName

CHIP_LABEL = "medley/chip"
"""The operator's word on a node: a chip's name, or several with a dot between them where it has several types."""
MOST_DEVICES = 64
"""Of one chip type on one node; more is taken for a mistake."""

_MEMORY_TOLERANCE = 0.15
"""A vendor's label counts usable memory, the catalogue what the data sheet says."""

Catalogue = Mapping[ChipName, ChipType]


@dataclass(frozen=True, slots=True)
class Found:
    """Devices of one chip type on a node."""

    chip: ChipName
    resource: str
    """What a pod asks for to get one."""
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a node's devices are."""

    found: tuple[Found, ...]
    """By chip name; each chip and each resource once."""
    notes: tuple[str, ...]
    """Why devices of it are not offered, for operators."""


def recognise(node: NodeView, rules: ChipRules, catalogue: Catalogue) -> Recognition:
    """Return the devices that a node may be given work for; a mistake costs those devices only."""
    reading = _Reading(node, rules, catalogue, _counts(node))
    labelled, notes = _labelled(reading)
    found: dict[ChipName, Found] = {}
    for resource in reading.counts:
        answer = _named(reading, resource, labelled.get(resource))
        if isinstance(answer, str):
            notes.append(answer)
        elif answer.chip in found:
            notes.append(f"{resource} not offered: {answer.chip} is counted as {found[answer.chip].resource} too")
        else:
            found[answer.chip] = answer
    return Recognition(tuple(found[chip] for chip in sorted(found)), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A node and what to read it by."""

    node: NodeView
    rules: ChipRules
    catalogue: Catalogue
    counts: Mapping[str, int]
    """Of what may be accelerators, by name."""

    def found(self, chip: ChipName, resource: str, rule: ChipRule | None) -> Found | str:
        if chip not in self.catalogue:
            return f"{resource} not offered: the chip catalogue has no {chip!r}; add it, or correct the chip rule"
        memory_mib = (rule.memory_mib if rule else None) or self.catalogue[chip].memory_mib
        memory_mib = memory_mib or self.said_memory_mib(resource)
        if memory_mib is None:
            return f"{resource} not offered: nobody says how much memory {chip} has; set memory_mib in its chip rule"
        return Found(chip, resource, memory_mib)

    def said_memory_mib(self, resource: str) -> int | None:
        """Return the memory of a device that the vendor's label says."""
        discovery = BY_RESOURCE.get(resource)
        labels = discovery.memory_labels if discovery is not None else ()
        text = next((self.node.labels[label] for label in labels if label in self.node.labels), "")
        return memory_mib_of(text)


def _counts(node: NodeView) -> dict[str, int]:
    """Return as many as there should be, also while a device plugin restarts."""
    counts: dict[str, int] = {}
    for resource, count in (*node.capacity, *node.allocatable):
        if count > 0 and may_be_accelerator(resource):
            counts[resource] = max(counts.get(resource, 0), count)
    return dict(sorted(counts.items()))


def _labelled(reading: _Reading) -> tuple[dict[str, ChipName], list[str]]:
    """Return what our label says of each resource, and what is wrong with it."""
    said: dict[str, ChipName] = {}
    notes = []
    for chip in filter(None, reading.node.labels.get(CHIP_LABEL, "").split(".")):
        if chip not in reading.catalogue:
            notes.append(f"{CHIP_LABEL} names the unknown chip {chip[:63]!r}: use a name of the chip catalogue")
            continue
        resource = next((name for name in _resources(chip, reading) if name in reading.counts), None)
        if resource is None:
            notes.append(f"{CHIP_LABEL} says {chip}, but no such devices are counted: is their device plugin running?")
        else:
            said.setdefault(resource, chip)
    return said, notes


def _resources(chip: ChipName, reading: _Reading) -> Iterator[str]:
    """Yield what devices of a chip type may be counted as, the operator's word first."""
    yield from (rule.resource for rule in reading.rules if rule.chip == chip)
    for discovery in DISCOVERIES:
        if discovery.vendor == reading.catalogue[chip].vendor:
            yield from discovery.resources


def _named(reading: _Reading, resource: str, labelled: ChipName | None) -> Found | str:
    """Return what a resource's devices are, or why they are not offered."""
    node, count = reading.node, reading.counts[resource]
    rule = next((rule for rule in reading.rules if rule.fits(resource, node.labels)), None)
    if rule is None:
        reason = sharing(resource, count, node.labels, node.annotations)
        if reason is not None:
            return f"{resource} not offered: {reason}, and only whole devices are scheduled"
    if count > MOST_DEVICES:
        return f"{resource} not offered: {count:,} on one node cannot be, {MOST_DEVICES} is the most"
    if labelled is not None:
        own = next((rule for rule in reading.rules if (rule.chip, rule.resource) == (labelled, resource)), None)
        return reading.found(labelled, resource, own)
    if rule is not None:
        return reading.found(rule.chip, resource, rule)
    return _discovered(reading, resource)


def _discovered(reading: _Reading, resource: str) -> Found | str:
    """Ask the vendor's labels."""
    discovery = BY_RESOURCE.get(resource)
    labels = discovery.product_labels if discovery is not None else ()
    product = next((reading.node.labels[label] for label in labels if reading.node.labels.get(label)), None)
    if discovery is None or product is None:
        return f"{resource} not offered: nothing says which chip it is; {_ADVICE}"
    chip = next((one.chip for one in discovery.products if one.pattern.fullmatch(product)), None)
    if chip is None or chip not in reading.catalogue:
        return f"{resource} not offered: {product[:63]!r} is no known chip; {_ADVICE}"
    said_mib, known_mib = reading.said_memory_mib(resource), reading.catalogue[chip].memory_mib
    if said_mib and known_mib and abs(said_mib - known_mib) > known_mib * _MEMORY_TOLERANCE:
        return f"{resource} not offered: {chip} has {known_mib} MiB, a label says {said_mib}; {_ADVICE}"
    return reading.found(chip, resource, None)


_ADVICE = f"label the node {CHIP_LABEL}=NAME, or add a chip rule to the clusters file"
